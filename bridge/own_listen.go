package bridge

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A listening is how long a Client listens on after the end of its input: until
// something has come since it last sent a message, and then nothing for a while.
type listening struct {
	linger time.Duration // in silence; negative: for good
	answer time.Duration // for something to come; negative: for good, zero: it is not waited for

	heard  atomic.Int64  // when something came last, in ns since 1970, or writing
	asking atomic.Bool   // a message was sent, and none has come since
	news   chan struct{} // holds one when a message has come
}

// writing is listening.heard while messages wait to be written, or there is no
// connection.
const writing = -1

// ErrNoAnswer is the error of a Client that has closed because nothing has come since
// its last message.
var ErrNoAnswer error = noAnswer{}

// noAnswer is the cause of a session that closes with 1000 all the same.
type noAnswer struct{}

func (noAnswer) Error() string { return "no answer" }
func (noAnswer) Unwrap() error { return errInputDone }

// holdOn says that nothing can come, until hearsNow is called.
func (l *listening) holdOn() { l.heard.Store(writing) }

func (l *listening) hearsNow() { l.heard.Store(time.Now().UnixNano()) }

// isAnswered says that a message has come.
func (l *listening) isAnswered() {
	l.asking.Store(false)
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// listenOn waits, after the end of the input, and returns the cause for the session to
// end.
func (l *listening) listenOn(ctx context.Context) error {
	for began := time.Now(); l.linger != 0; {
		limit, asks := l.linger, l.asking.Load() && l.answer != 0
		if asks {
			limit = l.answer
		}
		wait := limit
		if heard := l.heard.Load(); heard != writing && limit > 0 {
			since := began
			if last := time.Unix(0, heard); last.After(began) {
				since = last
			}
			wait = limit - time.Since(since)
			switch {
			case wait > 0:
			case asks:
				return ErrNoAnswer
			default:
				return errInputDone
			}
		}
		var expired <-chan time.Time
		if limit > 0 {
			expired = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.news:
		case <-expired:
		}
	}
	return errInputDone
}

// An expecting is the outlet of ownStreams, which expects an answer to what is sent.
type expecting struct {
	outlet
	*listening
}

func (a expecting) Send(b *wire.Batch) error {
	a.asking.Store(true)
	return a.outlet.Send(b)
}
