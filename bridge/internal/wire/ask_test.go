package wire

import (
	"testing"
	"testing/synctest"
	"time"
)

// After Ask, a dead peer is not cut off: it may yet read a close frame.
func TestSilentAfterAsk(t *testing.T) {
	alive(t, 1<<20, func(t *testing.T, w *watched) {
		w.receives()
		if w.Ask() {
			t.Error("there is something to read before anything was sent")
		}
		if err := send(w.Conn, "unread"); err != nil {
			t.Fatal(err)
		}
		if !w.Ask() {
			t.Error("there is nothing to read")
		}
		asked := time.Now()
		select {
		case <-w.Silent():
			if n := time.Since(asked); n > 4*interval || n < 2*interval {
				t.Errorf("silent after %v", n)
			}
		case <-w.died:
			t.Error("cut")
		}
		if err := send(w.Conn, "still there"); err != nil {
			t.Error(err)
		}
		w.lives(t) // nobody asks any more
	})
}

// A pong tells how far the peer has read; one that cannot be true says nothing.
func TestUnread(t *testing.T) {
	alive(t, 1<<20, func(t *testing.T, w *watched) {
		w.receives()
		if err := send(w.Conn, "one"); err != nil {
			t.Fatal(err)
		}
		if n := w.Unread(); n != 5 {
			t.Errorf("%d bytes are unread, want 5", n)
		}
		if n := w.Reached(); n != 5 {
			t.Errorf("%d bytes have left, want 5", n)
		}
		if !w.Ask() {
			t.Error("there is nothing to read")
		}
		for _, lie := range []string{"6", "-1", "0", "x", "", " 5", "99999999999999999999", "5x"} {
			if _, err := w.to.Write(masked(finBit|opPong, lie)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			<-w.Pongs()
			if n := w.Unread(); n != 5 {
				t.Errorf("after a pong with %q %d bytes are unread", lie, n)
			}
		}
		w.Ask()
		synctest.Wait()
		w.read(1 << 10)
		synctest.Wait()
		<-w.Pongs()
		if n := w.Unread(); n != 0 || w.Ask() {
			t.Errorf("%d bytes are unread", n)
		}
	})
}

// Without an interval nobody is pinged, nor found dead.
func TestNoPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watched{began: time.Now(), died: make(chan time.Time, 1)}
		w.Conn, w.program = newSystem(t, 1000, Options{})
		defer w.end()
		w.Watch(func(Ending) { w.died <- time.Now() })
		w.receives()
		w.lives(t)
		if n := w.Held(); n > 0 {
			t.Errorf("%d bytes were sent", n)
		}
	})
}
