package bridge

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A seat is one client's place at a hub, and the far end of the client's session.
// When that session ends, the seat leaves; the program goes on if the hub says so.
type seat struct {
	hub    *hub
	conn   *wire.Conn
	in     inbox
	giver  giver
	cursor *wire.Cursor
	visit  int64 // its number, in the order in which requests came
	hello  bool  // the client counts, so it first gets the hello

	pongsTell bool // which messages the client has

	received int64                   // messages of the client that the program had when the seat was taken
	resumed  bool                    // it continues an earlier link
	ctx      context.Context         // of its session
	stop     context.CancelCauseFunc // ends the session
	late     *time.Timer             // does, when what is left has waited long enough for room

	seatIn
}

// A seatIn is what the goroutine that receives knows of its seat.
type seatIn struct {
	pending wire.Traffic // what the next batch holds
	deaf    bool         // what comes is not given any more
	last    bool         // what comes is the rest, and waits for no room
	stuck   time.Time    // since when its pong cannot be read; zero: it is not awaited, or can
}

// newSeat returns a seat for a connection, which attach adds to the hub.
func (h *hub) newSeat(conn *wire.Conn, f Framing) *seat {
	s := &seat{hub: h, conn: conn}
	s.in = inbox{codec: &counting{codecOf(f), s}, give: s.give, act: s.act}
	s.giver.accept = s.accept
	s.giver.gone, s.giver.lent = s.isLost, s.lent
	return s
}

func (s *seat) compresses() bool { return s.conn.NewBatch().Compresses() }

func (s *seat) inbox() *inbox { return &s.in }

// A counting codec counts the messages of the batch that a seat gathers.
type counting struct {
	codec
	seat *seat
}

func (c *counting) feed(batch []byte, start int, kind wire.Kind) ([]byte, action, error) {
	s, size := c.seat, len(batch)-start
	batch, do, err := c.codec.feed(batch, start, kind)
	if err != nil {
		return batch, nil, err
	}
	one := wire.Traffic{Messages: 1, Bytes: int64(size)}
	switch {
	case do != nil: // it comes behind the batch
		asked := do
		do = func(j *job) {
			if s.hub.count(s, one) {
				asked(j)
			}
		}
	case len(batch) == start && s.pending.Messages == 0:
		if !s.deaf {
			s.hub.count(s, one) // there is nothing to give
		}
	default:
		s.pending.Messages++
		s.pending.Bytes += one.Bytes
	}
	return batch, do, nil
}

// isReadOnly reports whether what the client sends is dropped.
func (s *seat) isReadOnly() bool {
	_, ok := s.in.codec.(*counting).codec.(readOnlyCodec)
	return ok
}

// give gives the program a batch, whole or not at all. After a batch that was not
// taken no other is given, so that there is no gap.
func (s *seat) give(batch []byte) {
	if s.deaf {
		return
	}
	j := s.hub.input(s)
	s.stuck = time.Time{}
	if j == nil || !j.feed.writeFor(&s.giver, batch) {
		s.deaf = true
	}
}

// awaits waits until the start of the program is decided. It reports false if the
// client has left before.
func (s *seat) awaits(ready <-chan struct{}) bool {
	select {
	case <-ready:
		return true
	default:
	}
	look := time.NewTicker(goneInterval)
	defer look.Stop()
	for {
		select {
		case <-ready:
			return true
		case <-s.ctx.Done():
			return false
		case <-look.C:
			if s.conn.IsGone() {
				return false
			}
		}
	}
}

// lentRoom is how much of what a client has sent is read ahead of a full backlog to find
// the client's pong behind it. The buffers of both systems hold some megabytes.
const lentRoom = 8 << 20

// stuckLimit is how long a pong is waited for behind that, before a client that counts must
// come back.
const stuckLimit = time.Second

// lent lends room in the program's backlog while the program's output waits for the pong
// of a client that has been sent everything. If the pong was not read, the two would wait
// for each other: the pong is behind what the client has sent, that waits for the program
// to read, and the program waits to write.
func (s *seat) lent() int {
	switch {
	case s.last:
		return math.MaxInt
	case s.isAwaited():
		return lentRoom
	}
	return 0
}

// isAwaited reports whether the program's output waits for the pong of the seat's client.
func (s *seat) isAwaited() bool { return s.pongsTell && s.cursor.IsAwaited() }

// isLost reports whether the client has left, or must come back: its pong was not found
// in all the room that was lent. A client that counts loses nothing by that, and says what
// it has; for others there may be more patience in the program.
func (s *seat) isLost() bool {
	limit := stallLimit
	if s.hello {
		limit = stuckLimit
	}
	switch {
	case s.conn.IsGone():
		return true
	case !s.isAwaited():
		s.stuck = time.Time{}
	case s.stuck.IsZero():
		s.stuck = time.Now()
	case time.Since(s.stuck) >= limit:
		s.stop(errLost)
		return true
	}
	return false
}

// accept counts the messages of the batch that is about to be given.
func (s *seat) accept([]byte) bool {
	pending := s.pending
	s.pending = wire.Traffic{}
	return s.hub.count(s, pending)
}

// hasTaken reports whether the program has been given all that has come, for a client
// that may not send it again.
func (s *seat) hasTaken() bool { return !s.deaf && !s.in.closed && s.hub.has(s) }

func (s *seat) act(do action) {
	if j := s.hub.input(s); j != nil && !s.deaf {
		do(j)
	}
}

// pump sends what the log has until the log ends, or until the client has become too
// slow for it.
func (s *seat) pump(ctx context.Context, out outlet, batch *wire.Batch) error {
	defer s.cursor.Close()
	if s.hello && s.greet(out, batch) != nil {
		return nil // the cause comes from the socket
	}
	for heardOut := false; ; {
		switch err := s.cursor.Next(ctx, batch); err {
		case nil:
		case io.EOF:
			return s.hub.cause()
		case wire.ErrNotKept:
			return errTooSlow
		default:
			if !s.isHeardOut(err) {
				return err
			}
			ctx, heardOut = context.WithoutCancel(ctx), true
		}
		if out.Send(batch) != nil {
			return nil
		}
		if heardOut { // no pong comes any more
			s.hub.acknowledge(s, s.cursor.Number())
		}
		if s.pongsTell && s.cursor.WantsAcknowledgement() {
			s.conn.Ping()
		}
	}
}

func (s *seat) wait(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// hurry lets what was received wait for room a little while only, because its client has
// left; not at all if that ends the program.
func (s *seat) hurry(how error) {
	end, ok := errors.AsType[wire.Ending](how)
	switch {
	case !ok:
	case s.isHeardOut(Ending(end)):
		s.last = true
	case s.hub.clients.ends(Ending(end)):
		s.stop(Ending(end))
	default:
		s.late = time.AfterFunc(closeLimit, func() { s.stop(Ending(end)) })
	}
}

func (s *seat) release() {
	if s.late != nil {
		s.late.Stop()
	}
}

// These have nothing to do: the program behind a seat is not the seat's to end.
func (s *seat) lastWord()   {}
func (s *seat) closeInput() {}
