package bridge

import (
	"context"
	"errors"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// attach adds a seat to the hub, which reads the log from a message on (0: where a
// new client begins). If the client cannot have a seat, the error is the Ending to
// close its link with.
func (h *hub) attach(s *seat, from int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endForWhoHasClosed()
	switch {
	case h.over, h.ending != nil && !h.keepsEnding():
		return errNoSession
	case h.options.single && len(h.seats) > 0 && s.conn.IsGone():
		return errLost // its client may be the one that has a seat, and came back faster
	case h.options.single && s.visit < h.newest:
		return errTakenOver // it came first, and its handshake took longer
	}
	o := wire.CursorOptions{From: from, Newest: h.options.replay, Compress: s.compresses(), Skip: h.options.skip}
	if h.options.retention == wire.UntilFirst && !h.options.skip {
		o.Fallen = func() { s.stop(errTooSlow) }
	}
	if from == 0 && h.options.single {
		o.From = h.log.Acknowledged() + 1
	}
	var err error
	if from > h.log.Lent()+1 {
		err = wire.ErrNotKept // the client claims to have what nobody was sent
	} else {
		s.cursor, err = h.log.NewCursor(o)
	}
	if err != nil {
		first, _ := h.log.Kept()
		return goneEnding(first)
	}
	if h.options.single {
		s.received, h.newest = h.received.Messages, s.visit
		for old := range h.seats {
			delete(h.seats, old)
			old.stop(errTakenOver)
		}
		h.log.Acknowledge(s.cursor.Number()) // after which an old one may find itself behind
	}
	if h.alone != nil {
		h.alone.Stop()
	}
	h.seats[s] = struct{}{}
	return nil
}

// endForWhoHasClosed ends the program if its client has closed in a way that ends
// it, and came back before its seat has left: it has been answered before anybody
// here knows. h.mu is locked.
func (h *hub) endForWhoHasClosed() {
	if !h.options.single {
		return
	}
	for s := range h.seats {
		cause := context.Cause(s.ctx)
		if said, ok := s.conn.Said(); ok && cause == nil {
			cause = Ending(said)
		}
		if end, _ := errors.AsType[Ending](cause); h.isTheEnd(cause, end) {
			h.abandon(end)
			return
		}
	}
}

// number has the messages numbered that a seat sends, so that its client's pongs
// tell what it has.
func (h *hub) number(s *seat) {
	if h.options.single {
		s.conn.Number(s.cursor.Number(), func(n int64) { h.acknowledge(s, n) })
		s.conn.AnswerPings(s.hasTaken)
	}
}

// has reports whether a seat was not taken over.
func (h *hub) has(s *seat) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.seats[s]
	return ok
}

// acknowledge takes what the client of a seat says that it has, unless the seat
// was taken over: then it is for the newer one to say, which has begun from what it
// was told.
func (h *hub) acknowledge(s *seat, number int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.seats[s]; ok {
		h.log.Acknowledge(number)
	}
}

// count counts messages that a seat is about to give to the program. It reports
// false, and the seat must not give them, if another seat has taken over.
func (h *hub) count(s *seat, t wire.Traffic) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.seats[s]; !ok {
		return false
	}
	h.received.Messages += t.Messages
	h.received.Bytes += t.Bytes
	return true
}

// askSeats is called when the log is full. Where the log waits for
// acknowledgements, it pings the clients, whose pongs are these.
func (h *hub) askSeats() {
	if h.options.retention != wire.UntilAcknowledged {
		return
	}
	h.mu.Lock()
	seats := make([]*seat, 0, len(h.seats))
	for s := range h.seats {
		seats = append(seats, s)
	}
	h.mu.Unlock()
	for _, s := range seats {
		if s.cursor.WantsItAtRest() {
			s.conn.Ping()
		}
	}
}
