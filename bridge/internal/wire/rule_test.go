package wire

import (
	"strings"
	"testing"
	"time"
)

// A peer that pauses for less than two intervals, and then reads everything at
// once, lives: it has read more than was sent before the first ping that it
// missed.
func TestPauseThenCatchUp(t *testing.T) {
	aliveEach(t, 10<<20, time.Second, func(t *testing.T, w *watched) {
		w.receives()
		w.program.wg.Go(func() {
			for send(w.Conn, strings.Repeat("x", 1000)) == nil {
				time.Sleep(20 * time.Millisecond) // 50 KB/s
			}
		})
		w.program.wg.Go(func() {
			for time.Since(w.began) < 5500*time.Millisecond {
				w.read(1 << 20)
			}
			time.Sleep(1700 * time.Millisecond)
			for w.read(1 << 20) {
			}
		})
		select {
		case at := <-w.died:
			t.Errorf("found dead after %v", at.Sub(w.began))
		case <-time.After(30 * time.Second):
		}
	})
}

// A peer that is frozen is found also while the reader waits for the program and
// the writer for the socket.
func TestFrozenBothWays(t *testing.T) {
	alive(t, 1000, func(t *testing.T, w *watched) {
		free := make(chan struct{})
		defer close(free)
		w.in = &receiving{done: make(chan struct{})}
		w.in.taken = func() { <-free }
		go func() {
			defer close(w.in.done)
			w.in.err = w.Receive(&w.in.collector)
		}()
		if _, err := w.to.Write(text("x")); err != nil {
			t.Fatal(err)
		}
		w.program.wg.Go(func() { send(w.Conn, strings.Repeat("x", 10000)) })
		select {
		case <-w.died:
		case <-time.After(time.Hour):
			t.Error("never found dead")
		}
	})
}

// A peer that talks and never reads is dead, when there is something to read.
func TestTalksAndNeverReads(t *testing.T) {
	alive(t, 1000, func(t *testing.T, w *watched) {
		w.receives()
		w.program.wg.Go(func() {
			for {
				time.Sleep(interval)
				if _, err := w.to.Write(text("x")); err != nil {
					return
				}
			}
		})
		w.program.wg.Go(func() { send(w.Conn, strings.Repeat("x", 10000)) })
		select {
		case <-w.died:
		case <-time.After(time.Hour):
			t.Error("never found dead")
		}
	})
}

// A peer that reads 12 KB a second lives, however long a batch takes to leave and
// however much waits behind it.
func TestSlowLastBatch(t *testing.T) {
	for _, room := range []int{64 << 10, 256 << 10, 1 << 20} {
		for _, chunk := range []int{3 << 10, 16 << 10, 20 << 10} { // 1.7 s each: it looks for pings in time
			aliveEach(t, room, time.Second, func(t *testing.T, w *watched) {
				w.receives()
				w.reads(chunk, time.Duration(chunk)*time.Second/12000)
				w.program.wg.Go(func() {
					for range 8 {
						batch := make([]string, 200)
						for i := range batch {
							batch[i] = strings.Repeat("x", 1000)
						}
						if send(w.Conn, batch...) != nil {
							return
						}
						time.Sleep(300 * time.Millisecond)
					}
				})
				select {
				case at := <-w.died:
					t.Errorf("room %d chunk %d: found dead after %v", room, chunk, at.Sub(w.began))
				case <-time.After(time.Hour):
				}
			})
		}
	}
}
