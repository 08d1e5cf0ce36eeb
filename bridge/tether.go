package bridge

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A tether is the link of a Client's session that outlives its connections. What
// the far end says goes into a log. Each connection has a session of its own, whose
// far end is a crossing: it reads the log, and gives what comes to the far end that
// stays.
type tether struct {
	// Static after construction.
	client  *Client
	url     *url.URL
	back    *comeback
	log     *wire.Log
	inbox   *inbox          // of the far end
	own     *ownStreams     // nil: the far end is a command
	running context.Context // done when the Client is asked to end
	life    tetherLife

	place *bookmark // nil: each connection is a new session

	mu      sync.Mutex
	conn    *wire.Conn   // the newest
	leaving *wire.Ending // how the session ends, when it is the far end that ends it
}

// A tetherLife is how far a tether has come.
type tetherLife struct {
	trying     context.Context // done when it is of no use to connect again
	stopTrying context.CancelFunc
	cut        context.Context // done after Cut
	doCut      context.CancelFunc
	stopped    chan struct{} // closed by Stop
	news       chan struct{} // holds one when the server is known to have more
	over       chan struct{} // closed when there is no connection any more, nor will be

	// Set before over is closed.
	end wire.Ending
	err error // why there was no connection
}

// newTether connects for the first time.
func (c *Client) newTether(ctx context.Context, address string) (t *tether, err error) {
	t = &tether{client: c, running: ctx}
	if c.Reconnect.Resume {
		t.place, t.url, err = newBookmark(address)
	} else {
		t.url, err = url.Parse(address)
	}
	if err != nil {
		return nil, err
	}
	t.back = newComeback(*c.Reconnect, t.dial)
	t.log = wire.NewLog(t.back.Buffer, wire.UntilAcknowledged, t.ping)
	t.life = tetherLife{
		stopped: make(chan struct{}),
		news:    make(chan struct{}, 1),
		over:    make(chan struct{}),
	}
	t.life.trying, t.life.stopTrying = context.WithCancel(ctx)
	t.life.cut, t.life.doCut = context.WithCancel(context.Background())
	if t.conn, err = t.dial(ctx); err != nil {
		t.Cut()
		return nil, err
	}
	return t, nil
}

// holds says what the far end is.
func (t *tether) holds(far farEnd) {
	t.inbox = far.inbox()
	if t.own, _ = far.(*ownStreams); t.own != nil {
		t.own.settle = t.settle
	}
}

func (t *tether) dial(ctx context.Context) (*wire.Conn, error) {
	if t.place == nil {
		return t.client.dial(ctx, t.url.String(), false)
	}
	conn, err := t.client.dial(ctx, t.place.in(t.url), false, countingProtocol)
	if refused, ok := errors.AsType[*wire.RefusedError](err); ok {
		refused.URL = t.url.String() // without the key
	}
	if err != nil {
		t.place.ghost = time.Now()
		return nil, err
	}
	if conn.Subprotocol() != countingProtocol {
		conn.Close(wire.Ending{Code: codeNormal}, drainLimit)
		return nil, ErrNotResumable
	}
	conn.Number(t.log.Acknowledged(), func(n int64) {
		if t.place.exact() {
			t.has(n)
		}
	})
	return conn, nil
}

// run is one connection after the other.
func (t *tether) run() {
	defer close(t.life.over)
	defer t.log.Cut() // nobody reads it any more
	for {
		end := t.cross()
		if !t.goesOn(end) {
			return
		}
		end = t.life.end
		if t.own != nil {
			t.own.holdOn()
		}
		t.back.isLost(end)
		conn, err := t.back.connect(t.life.trying)
		if conn == nil {
			t.life.end, t.life.err = wire.Lost, err
			return
		}
		t.mu.Lock()
		t.conn = conn
		t.mu.Unlock()
	}
}

// cross is the session of one connection.
func (t *tether) cross() wire.Ending {
	s := &session{link: t.conn, pings: t.client.pings(), draining: t.running, killed: t.life.cut}
	s.ctx, s.end = context.WithCancelCause(t.life.cut)
	defer s.end(nil)
	c := t.newCrossing(t.conn, s.end)
	s.far = c
	began := time.Now()
	end, _ := s.run()
	if c.cursor != nil {
		c.cursor.Close()
	}
	if t.place != nil && c.cursor == nil {
		t.place.ghost = time.Now()
	}
	if c.moved || c.cursor != nil && time.Since(began) >= longEnough {
		t.back.tries = 0
	}
	return wire.Ending(end)
}

// goesOn decides, at the end of a connection, whether there is to be another one.
func (t *tether) goesOn(end wire.Ending) bool {
	t.mu.Lock()
	leaving := t.leaving
	t.mu.Unlock()
	if t.place != nil && t.place.byGhost(end) {
		end = wire.Lost
	}
	t.life.end = end
	switch {
	case t.life.trying.Err() != nil || t.life.cut.Err() != nil:
		return false
	case leaving == nil:
		return t.back.comesAgain(end)
	case end.Code == errNoSession.Code && t.settled():
		// The close frame had arrived before the connection was lost.
	case end.Code != codeAbnormal:
		return false
	case !t.settled() || t.place != nil && t.place.received > 0:
		return true
	}
	// The server has everything; to come back could start another program.
	t.life.end = *leaving
	return false
}

// has says that the server has our messages up to a number.
func (t *tether) has(n int64) {
	t.log.Acknowledge(n)
	select {
	case t.life.news <- struct{}{}:
	default:
	}
}

// settled reports whether the server has everything that there is.
func (t *tether) settled() bool {
	_, next := t.log.Kept()
	return t.log.Acknowledged() == next-1
}

// settle waits until it has, or ctx is done.
func (t *tether) settle(ctx context.Context) {
	for wait := 10 * time.Millisecond; !t.settled() && ctx.Err() == nil; wait = min(2*wait, time.Second) {
		t.ping()
		select {
		case <-t.life.news:
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// ping has the server tell what it has.
func (t *tether) ping() {
	if t.place == nil {
		return
	}
	t.mu.Lock()
	conn := t.conn
	t.mu.Unlock()
	conn.Ping()
}
