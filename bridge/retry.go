package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// Reconnect lets a Client connect again by itself when its connection is lost: at
// once, and while that fails after 1 s, doubled up to 30 s. Each of these waits is
// shortened by up to a half, by chance. The first connection of all must succeed at
// once.
type Reconnect struct {
	// Resume continues the session, at a Handler with that Hosting: each message
	// arrives exactly once, in both directions. The session's key is that of the URL
	// (?resume=KEY), or a random one, which nobody else can come back with.
	//
	// With Share, messages from the program are continued in the same way. A message
	// to it that was under way when the connection was lost may not have arrived,
	// because the server does not tell; it is not sent again.
	//
	// Without Resume each connection is a new session, for any server. A server that
	// closes with 1001, 1012 or 1013 is connected to again too. What was under way
	// when a connection was lost is lost. A Command is started for each session.
	Resume bool

	// For is how long Run tries, each time that there is no connection. Zero means 5
	// minutes, a negative duration no limit.
	For time.Duration

	// Buffer is how many bytes of messages are kept until the server has them, beside
	// what one read brings. When it is full no more is read. Zero means 1 MiB.
	Buffer int

	// Events, if not nil, is told what happens: Away, Retrying and Back.
	Events func(Event)

	wait func(tries int) time.Duration // before a try, of which there have been so many
}

// DefaultReconnectFor is the default of Reconnect.For.
const DefaultReconnectFor = 5 * time.Minute

// What a Reconnect tells.
type (
	// Away: the connection is lost. Run tries to connect again.
	Away struct{ Ending Ending }

	// Retrying: such a try has failed. The next one comes after Wait.
	Retrying struct {
		Err  error
		Wait time.Duration
	}

	// Back: there is a connection again.
	Back struct {
		After   time.Duration // since the connection was lost
		Resumed bool          // it continues the session
		Again   int64         // messages that are sent again
	}
)

func (Away) event()     {}
func (Retrying) event() {}
func (Back) event()     {}

// ErrNotResumable is the error of a Client that would resume, at a server that does
// not speak wsbridge.v1.
var ErrNotResumable = errors.New("the server keeps no session to come back to")

// A GaveUpError is the error of a Client that has not been able to connect again.
type GaveUpError struct {
	After time.Duration
	Err   error // of the last try
}

func (e *GaveUpError) Error() string { return fmt.Sprintf("gave up after %v: %v", e.After, e.Err) }
func (e *GaveUpError) Unwrap() error { return e.Err }

const (
	firstRetry  = time.Second
	latestRetry = 30 * time.Second

	// longEnough is how long a connection lasts that is worth connecting again at once
	// when it is lost, though no message has gone either way.
	longEnough = time.Second
)

// A comeback is the tries of a Client to connect again. One goroutine uses it.
type comeback struct {
	Reconnect
	dial  func(context.Context) (*wire.Conn, error)
	tries int       // since the last connection that was worth it
	lost  time.Time // when the connection was lost; zero: there is one
	last  error     // of the last try
}

// newComeback returns one that connects by dial.
func newComeback(r Reconnect, dial func(context.Context) (*wire.Conn, error)) *comeback {
	r.For, r.Buffer = cmp.Or(r.For, DefaultReconnectFor), cmp.Or(r.Buffer, DefaultBuffer)
	if r.wait == nil {
		r.wait = func(tries int) time.Duration { return retryWait(tries, rand.Float64()) }
	}
	return &comeback{Reconnect: r, dial: dial}
}

func (b *comeback) emit(e Event) {
	if b.Events != nil {
		b.Events(e)
	}
}

// isLost takes note of the end of a connection.
func (b *comeback) isLost(end wire.Ending) {
	b.last = Ending(end)
	if b.lost.IsZero() {
		b.lost = time.Now()
		b.emit(Away{Ending(end)})
	}
}

// isBack takes note that a session goes on, or a new one has begun.
func (b *comeback) isBack(resumed bool, again int64) {
	if b.lost.IsZero() {
		return // it is the first
	}
	after := time.Since(b.lost)
	b.lost = time.Time{}
	b.emit(Back{after, resumed, again})
}

// connect tries until there is a connection, unless ctx ends: then its error is
// nil and so is the connection.
func (b *comeback) connect(ctx context.Context) (*wire.Conn, error) {
	limited := ctx
	if b.For > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithDeadline(ctx, b.lost.Add(b.For))
		defer cancel()
	}
	for {
		wait := b.wait(b.tries)
		if wait > 0 {
			b.emit(Retrying{b.last, wait})
		}
		select {
		case <-time.After(wait):
		case <-limited.Done():
		}
		if limited.Err() == nil {
			b.tries++
			conn, err := b.dial(limited)
			if err == nil || isFinal(err) {
				return conn, err
			}
			if limited.Err() == nil {
				b.last = err
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, nil
		case limited.Err() != nil:
			return nil, &GaveUpError{b.For, b.last}
		}
	}
}

// retryWait is the wait before a try, of which there have been so many. Chance is
// from 0 to 1.
func retryWait(tries int, chance float64) time.Duration {
	if tries == 0 {
		return 0
	}
	wait := latestRetry
	if tries < 6 {
		wait = min(wait, firstRetry<<(tries-1))
	}
	return wait - time.Duration(chance*float64(wait/2))
}

// isFinal reports whether to try again is of no use: the server does not want what
// it was asked for. That it is busy, or a proxy that it is away, may change.
func isFinal(err error) bool {
	if e, ok := errors.AsType[*wire.RefusedError](err); ok {
		switch e.Status {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
			return false
		}
		return e.Status >= 400 && e.Status < 500
	}
	return errors.Is(err, ErrNotResumable) || errors.Is(err, ErrNoChannels)
}

// comesAgain reports whether a Client connects again after a session that has ended
// so, which it has not ended itself.
func (r *Reconnect) comesAgain(end wire.Ending) bool {
	switch end.Code {
	case codeAbnormal:
		return true
	case codeGoingAway, codeServiceRestart, codeTryAgainLater:
		return !r.Resume
	}
	return false
}

// runEach starts the command for one session after the other.
func (c *Client) runEach(ctx context.Context, url string) (Ending, error) {
	back := newComeback(*c.Reconnect, func(ctx context.Context) (*wire.Conn, error) {
		return c.dial(ctx, url, false)
	})
	conn, err := back.dial(ctx)
	if err != nil {
		return Ending{}, err
	}
	for {
		began := time.Now()
		end, err := c.runOver(ctx, conn)
		if err != nil || ctx.Err() != nil || !back.comesAgain(wire.Ending(end)) {
			return end, err
		}
		if time.Since(began) >= longEnough {
			back.tries = 0
		}
		back.isLost(wire.Ending(end))
		if conn, err = back.connect(ctx); conn == nil {
			return errLost, err
		}
		back.isBack(false, 0)
	}
}
