package wire

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const interval = 10 * time.Second // of most tests

// A watched is a connection whose peer is pinged.
type watched struct {
	*Conn
	*program
	in    *receiving
	began time.Time
	died  chan time.Time // when it was found dead
}

// watch has the peer pinged each interval. Its system takes room bytes.
func watch(t *testing.T, room int, interval time.Duration) *watched {
	t.Helper()
	w := &watched{began: time.Now(), died: make(chan time.Time, 1)}
	w.Conn, w.program = newSystem(t, room, Options{MaxMessageSize: 1000, PingInterval: interval})
	w.Watch(func(end Ending) {
		if end != PeerDead {
			t.Errorf("lost by %v", end)
		}
		w.died <- time.Now()
	})
	return w
}

// receives begins to receive.
func (w *watched) receives() { w.in = receive(w.Conn) }

// dies waits until the peer is found dead, and returns after how many
// intervals, which the connection does not survive.
func (w *watched) dies(t *testing.T) float64 {
	t.Helper()
	select {
	case at := <-w.died:
		if w.in != nil {
			w.in.ends(t, PeerDead)
		}
		return at.Sub(w.began).Seconds() / interval.Seconds()
	case <-time.After(time.Hour):
		t.Fatal("it is never found dead")
		return 0
	}
}

// lives reports a peer that is found dead within an hour.
func (w *watched) lives(t *testing.T) {
	t.Helper()
	select {
	case at := <-w.died:
		t.Errorf("it was found dead after %v", at.Sub(w.began))
	case <-time.After(time.Hour):
	}
}

// end ends the connection, of which nothing must be left.
func (w *watched) end() {
	w.life.stop()
	w.Cut()
	w.to.Close()
	w.program.wg.Wait()
	if w.in != nil {
		<-w.in.done
		w.Leave()
	}
	w.writer.awaitWriters()
}

func alive(t *testing.T, room int, test func(t *testing.T, w *watched)) {
	aliveEach(t, room, interval, test)
}

// aliveEach is alive with another interval.
func aliveEach(t *testing.T, room int, interval time.Duration, test func(t *testing.T, w *watched)) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, room, interval)
		defer w.end()
		test(t, w)
	})
}

func TestIdlePeerThatAnswers(t *testing.T) {
	alive(t, 1000, func(t *testing.T, w *watched) {
		w.receives()
		w.reads(1000, 0)
		w.lives(t)
	})
}

// The first ping leaves after an interval. Two more without an answer are one
// too many.
func TestIdlePeerThatDoesNotAnswer(t *testing.T) {
	alive(t, 1000, func(t *testing.T, w *watched) {
		w.receives()
		w.mute = true
		w.reads(1000, 0)
		if n := w.dies(t); n != 3 {
			t.Errorf("found dead after %v intervals, want 3", n)
		}
	})
}

// A peer that says something lives, if it does not answer pings.
func TestPeerThatTalks(t *testing.T) {
	alive(t, 1000, func(t *testing.T, w *watched) {
		w.receives()
		w.mute = true
		w.reads(1000, 0)
		w.program.wg.Go(func() {
			for {
				time.Sleep(interval * 19 / 10)
				if _, err := w.to.Write(text("x")); err != nil {
					return
				}
			}
		})
		w.lives(t)
	})
}

// A program that is frozen is found dead although its system takes all that
// trickles in.
func TestFrozenPeer(t *testing.T) {
	alive(t, 1<<20, func(t *testing.T, w *watched) {
		w.receives()
		w.program.wg.Go(func() {
			for send(w.Conn, "trickle") == nil {
				time.Sleep(time.Second)
			}
		})
		if n := w.dies(t); n > 4 {
			t.Errorf("found dead after %v intervals, want 4 at most", n)
		}
	})
}

// One that froze after a while, too, and with much before the first ping that
// it has not answered as much later as it may need to read that.
func TestFrozenPeerWithMuchToRead(t *testing.T) {
	const much = 300 << 10
	alive(t, 10*much, func(t *testing.T, w *watched) {
		w.receives()
		stop := make(chan struct{})
		w.program.wg.Go(func() {
			for range 2 {
				w.read(1 << 20)
			}
			close(stop)
		})
		if err := send(w.Conn, "hello"); err != nil {
			t.Fatal(err)
		}
		<-stop // it has answered the first ping, and reads no more
		frozen := time.Now()
		for range much / 1000 {
			if err := send(w.Conn, strings.Repeat("x", 1000)); err != nil {
				t.Fatal(err)
			}
		}
		w.program.wg.Go(func() {
			for send(w.Conn, "trickle") == nil {
				time.Sleep(time.Second)
			}
		})
		w.dies(t)
		limit := 4*interval + time.Duration(much*int64(time.Second)/slowest)*102/100
		if took := time.Since(frozen); took > limit || took < 2*interval {
			t.Errorf("found dead after %v, want %v at most", took, limit)
		}
	})
}

// A writer that waits for a system that takes nothing more, and one that does.
func TestWriterThatWaits(t *testing.T) {
	message := strings.Repeat("x", 1000)
	for _, frozen := range []bool{true, false} {
		alive(t, 4*LargeBuffer, func(t *testing.T, w *watched) {
			w.receives()
			w.mute = true // what counts is what its system takes
			w.program.wg.Go(func() {
				for send(w.Conn, message) == nil {
				}
			})
			if !frozen {
				w.reads(recordSize, interval*19/10)
				w.lives(t)
				return
			}
			if n := w.dies(t); n > 4 {
				t.Errorf("found dead after %v intervals, want 4 at most", n)
			}
		})
	}
}

// A client that reads slowly gets all, and what it answers counts when it comes
// to it: 8 KiB a second.
func TestSlowReader(t *testing.T) {
	const messages = 1200 // 1.2 MB
	batch := make([]string, 60)
	for i := range batch {
		batch[i] = strings.Repeat("x", 1000)
	}
	for _, interval := range []time.Duration{500 * time.Millisecond, interval, 30 * time.Second} {
		for _, room := range []int{64 << 10, 256 << 10, 4 << 20} {
			t.Run(fmt.Sprintf("%v, room for %d", interval, room), func(t *testing.T) {
				aliveEach(t, room, interval, func(t *testing.T, w *watched) {
					w.receives()
					w.reads(slowest/4, time.Second/4)
					all := make(chan error, 1)
					w.program.wg.Go(func() {
						for range messages / len(batch) {
							if err := send(w.Conn, batch...); err != nil {
								all <- err
								return
							}
						}
						all <- nil
					})
					select {
					case err := <-all:
						if err != nil {
							t.Error(err)
						}
					case at := <-w.died:
						t.Fatalf("found dead after %v", at.Sub(w.began))
					}
					w.lives(t)
					if w.messages != messages {
						t.Errorf("%d messages of %d came", w.messages, messages)
					}
					if n := w.Unread(); n != 0 {
						t.Errorf("%d bytes are not known to be read", n)
					}
				})
			})
		}
	}
}

// While the reader waits for the program, no answer can be seen, and none is
// missed. Afterwards it is.
func TestBusyReader(t *testing.T) {
	alive(t, 1000, func(t *testing.T, w *watched) {
		w.mute = true
		w.reads(1000, 0)
		free := make(chan struct{})
		w.in = &receiving{done: make(chan struct{})}
		w.in.taken = func() { <-free }
		go func() {
			defer close(w.in.done)
			w.in.err = w.Receive(&w.in.collector)
		}()
		if _, err := w.to.Write(text("x")); err != nil {
			t.Fatal(err)
		}
		w.lives(t)
		time.Sleep(interval / 2)
		w.began = time.Now()
		close(free)
		if n := w.dies(t); n < 2 || n > 3 {
			t.Errorf("found dead %v intervals after the reader had come back", n)
		}
	})
}
