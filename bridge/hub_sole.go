package bridge

import (
	"context"
	"errors"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A soleClient is the clientele of Resume: one client, which may come back. A newer
// seat takes over from an older one, the client's pongs say which messages it has, and
// when it closes, the program ends.
type soleClient struct{}

func (soleClient) newLog(h *hub, buffer int) *wire.Log {
	return wire.NewLog(buffer, wire.UntilAcknowledged, h.askSeats)
}

func (soleClient) from(v *visit, first bool) (number int64, resumed bool) {
	return v.received + 1, !first
}

func (c soleClient) seat(h *hub, s *seat, from int64) error {
	h.endForWhoHasClosed()
	switch {
	case !h.letsIn():
		return errNoSession
	case len(h.seats) > 0 && s.conn.IsGone():
		return errLost // its client may be the one that has a seat, and came back faster
	case h.hasNewer(s):
		return errTakenOver // it came first, and its handshake took longer
	}
	if err := h.read(s, from, wire.CursorOptions{From: h.log.Acknowledged() + 1}); err != nil {
		return err
	}
	s.received = h.received.Messages
	for old := range h.seats {
		delete(h.seats, old)
		old.stop(errTakenOver)
	}
	h.log.Acknowledge(s.cursor.Number()) // after which an old one may find itself behind
	s.pongsTell = true
	s.conn.Number(s.cursor.Number(), func(n int64) { h.acknowledge(s, n) })
	s.conn.AnswerPings(s.hasTaken)
	return nil
}

// hasNewer reports whether there is a seat whose client came later than another, and is
// still there as far as the system knows. h.mu is locked.
func (h *hub) hasNewer(s *seat) bool {
	for other := range h.seats {
		if other.visit > s.visit && !other.conn.IsGone() {
			return true
		}
	}
	return false
}

// endForWhoHasClosed ends the program if its client has closed in a way that ends
// it, and came back before its seat has left: it has been answered before anybody
// here knows. h.mu is locked.
func (h *hub) endForWhoHasClosed() {
	for s := range h.seats {
		cause := context.Cause(s.ctx)
		if said, ok := s.conn.Said(); ok && cause == nil {
			cause = Ending(said)
		}
		if end, _ := errors.AsType[Ending](cause); !h.tells(cause) && h.clients.ends(end) {
			h.abandon(end)
			return
		}
	}
}

func (soleClient) ends(how Ending) bool { return how.Code != 0 && !isLoss(how) }

func (c soleClient) left(h *hub, s *seat, cause error, answered bool) {
	end, _ := errors.AsType[Ending](cause)
	by, closed := s.conn.PeerClosed()
	switch told := h.tells(cause); {
	case told && closed && c.ends(Ending(by)):
		h.abandon(Ending(by)) // the client was faster than the end
	case !told && c.ends(end):
		h.abandon(end)
	case told && answered:
		h.finish()
	case isLoss(end):
		h.goesOn(end)
	default:
		h.goesOn(errNoClient)
	}
}

func (soleClient) keepsEnding(exited bool, ending Ending) bool { return exited || isTimeUp(ending) }

func (soleClient) program(s *session, _ *job) { s.keeps = true }
func (soleClient) visitor(s *session)         { s.life.limit, s.idle.limit = 0, 0 }
func (soleClient) owner(visit Info) Info      { return visit }

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

// askSeats pings the client when the log is full, and waits for what its pong tells.
func (h *hub) askSeats() {
	h.mu.Lock()
	var seats []*seat
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
