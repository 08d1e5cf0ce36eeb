package bridge

import (
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// These methods make a tether the link of a Client's session.

func (t *tether) NewBatch() *wire.Batch { return wire.NewClientBatch() }

func (t *tether) Send(b *wire.Batch) error { return t.log.Send(b) }

// Receive returns when there is no connection any more, nor will be. What comes goes
// from the crossings to the far end.
func (t *tether) Receive(wire.Inbox) error {
	go t.run()
	select {
	case <-t.life.over:
		return t.life.end
	case <-t.life.stopped:
		return wire.ErrStopped
	}
}

func (t *tether) Stop() { close(t.life.stopped) }

// Watch and Answer do nothing: each connection looks after itself, and is closed
// when everything has been sent.
func (t *tether) Watch(func(wire.Ending)) {}
func (t *tether) Answer(wire.Ending)      {}
func (t *tether) Respond()                {}
func (t *tether) Leave()                  {}

// Close sends what is left, over further connections if there must be, and closes
// the last one.
func (t *tether) Close(end wire.Ending, _ time.Duration) wire.Ending {
	if end.Code == codeGoingAway {
		t.life.stopTrying() // nobody waits for what is left
		defer time.AfterFunc(closeLimit, t.Cut).Stop()
		if t.place != nil && !t.place.chosen {
			// It would let the program wait for somebody who comes back.
			end = wire.Ending{Code: codeNormal}
		}
	}
	t.leave(end)
	t.Cut()
	return t.life.end
}

// Say is Close while messages are still taken. It leaves nothing to wait for.
func (t *tether) Say(end wire.Ending) bool {
	t.leave(end)
	return false
}

// leave sends what is left, closes the last connection, and waits for that.
func (t *tether) leave(end wire.Ending) {
	t.mu.Lock()
	t.leaving = &end
	t.mu.Unlock()
	t.log.End()
	<-t.life.over
}

func (t *tether) Cut() {
	t.life.stopTrying()
	t.life.doCut()
	t.log.Cut()
}

// Reached is progress, if it changes.
func (t *tether) Reached() int64 { return t.log.Taken() }

// The rest says that there is nobody to wait for: the connections do that.
func (t *tether) Unread() int64           { return 0 }
func (t *tether) Ask() bool               { return false }
func (t *tether) Silent() <-chan struct{} { return nil }
func (t *tether) Pongs() <-chan struct{}  { return nil }

func (t *tether) Received() wire.Traffic { return wire.Traffic{} } // no event tells of it
func (t *tether) Sent() wire.Traffic     { return t.log.Sent() }
