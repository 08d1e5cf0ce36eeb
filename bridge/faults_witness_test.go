package bridge

import (
	"fmt"
	"sync/atomic"
	"time"
)

// A witness is a session that goes on while others fail.
type witness struct {
	p      *peer
	rounds atomic.Int64
	stop   chan struct{}
	done   chan struct{}
	err    error // once done
}

func (s *scene) newWitness() *witness {
	w := &witness{stop: make(chan struct{}), done: make(chan struct{})}
	w.p = connectAt(s, s.srv, s.srv.Listener.Addr().String(), handshakeFor(s.srv, "/?echo"))
	if err := w.exchange(); err != nil {
		s.Fatal(err)
	}
	go func() {
		defer close(w.done)
		for w.err == nil {
			select {
			case <-w.stop:
				return
			case <-time.After(time.Millisecond):
				w.err = w.exchange()
			}
		}
	}()
	return w
}

// exchange sends a message and waits for it to come back.
func (w *witness) exchange() error {
	w.p.SetDeadline(time.Now().Add(testLimit))
	m := fmt.Sprint("round ", w.rounds.Add(1))
	if _, err := w.p.Write(text(m)); err != nil {
		return err
	}
	for {
		f, err := w.p.frame()
		if err != nil {
			return err
		}
		if f.op == opPing {
			if _, err := w.p.Write(appendFrame(nil, finBit|opPong, f.payload, true)); err != nil {
				return err
			}
			continue
		}
		if f.op != opText || string(f.payload) != m {
			return fmt.Errorf("sent %q, got %x %.100q", m, f.op, f.payload)
		}
		return nil
	}
}

// goesOn waits until the witness has got further.
func (w *witness) goesOn(rounds int64) {
	w.p.t.Helper()
	until(w.p.t, func() bool { return w.rounds.Load() > rounds+1 || w.failed() }, func() string { return "the other session" })
}

func (w *witness) failed() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

func (w *witness) end() {
	w.p.t.Helper()
	close(w.stop)
	<-w.done
	if w.err != nil {
		w.p.t.Fatalf("the other session: %v", w.err)
	}
	w.p.write(closing(1000, ""))
	w.p.wantClose(Ending{1000, ""})
	w.p.Close()
}
