package bridge

import (
	"context"
	"io"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// A crossing is the far end of one connection of a tether. It ends without ending
// anything behind it.
type crossing struct {
	tether *tether
	conn   *wire.Conn
	codec  // of the far end
	in     inbox
	ready  chan struct{} // closed when cursor is there
	cursor *wire.Cursor  // of our messages; nil: they have to wait for the greeting
	stop   context.CancelCauseFunc

	// Owned by the goroutine that receives.
	moved bool // a message has come, or was taken
	deaf  bool // the greeting was wrong
}

// newCrossing returns the far end of a connection, whose session is ended by end.
func (t *tether) newCrossing(conn *wire.Conn, end context.CancelCauseFunc) *crossing {
	c := &crossing{tether: t, conn: conn, codec: t.inbox.codec, ready: make(chan struct{}), stop: end}
	c.in = *t.inbox
	c.in.codec = c
	if t.place == nil {
		c.begin(t.log.Acknowledged(), false)
	}
	return c
}

func (c *crossing) inbox() *inbox { return &c.in }

// feed counts the messages that it feeds to the far end, behind the greeting.
func (c *crossing) feed(batch []byte, start int, kind wire.Kind) ([]byte, action, error) {
	t := c.tether
	switch {
	case c.deaf:
	case c.cursor != nil:
		c.moved = true
		if t.place != nil {
			t.place.received++
		}
		return c.codec.feed(batch, start, kind)
	default:
		acked := t.log.Acknowledged()
		has, resumed, err := t.place.greeted(batch[start:], acked, t.log.Lent())
		if err != nil {
			c.deaf = true
			c.stop(err)
			break
		}
		c.moved = has > acked
		c.begin(has, resumed)
	}
	return batch[:start], nil, nil
}

// begin lets our messages go, of which the server has some.
func (c *crossing) begin(has int64, resumed bool) {
	t := c.tether
	t.has(has)
	again := t.log.Lent() - has
	cursor, err := t.log.NewCursor(wire.CursorOptions{From: has + 1, Compress: c.conn.NewBatch().Compresses()})
	if err != nil { // after Cut
		c.deaf = true
		c.stop(errLost)
		return
	}
	c.cursor = cursor
	close(c.ready)
	if t.own != nil {
		t.own.hearsNow()
	}
	t.back.isBack(resumed, again)
}

// pump sends what the log has until it ends.
func (c *crossing) pump(ctx context.Context, out outlet, batch *wire.Batch) error {
	select {
	case <-c.ready:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	t := c.tether
	exact := t.place != nil && t.place.exact()
	for {
		switch err := c.cursor.Next(ctx, batch); err {
		case nil:
		case io.EOF:
			if exact && t.life.trying.Err() == nil {
				t.settle(ctx)
			}
			return t.farewell(exact)
		default:
			return context.Cause(ctx)
		}
		if out.Send(batch) != nil {
			return nil // the cause comes from the socket
		}
		switch {
		case !exact:
			t.has(c.cursor.Number())
		case c.cursor.WantsAcknowledgement():
			c.conn.Ping()
		}
	}
}

// farewell is why a connection ends that has sent everything.
func (t *tether) farewell(exact bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.leaving == nil {
		return errLost // the log was cut
	}
	if exact && t.leaving.Code == codeNormal {
		return errInputDone // the program has everything, and may answer to that
	}
	return programEnded{Ending(*t.leaving)}
}

func (c *crossing) wait(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func (c *crossing) end(error, context.Context, context.Context) (none process.State) { return none }

// The rest has nothing to do: what is behind a crossing goes on without it.
func (c *crossing) lastWord()   {}
func (c *crossing) hurry(error) {}
func (c *crossing) closeInput() {}
func (c *crossing) release()    {}
