package bridge

import "github.com/wsbridge/wsbridge/bridge/internal/wire"

// attach adds a seat to the hub, which reads the log from a message on (0: where a
// new client begins). If the client cannot have a seat, the error is the Ending to
// close its link with.
func (h *hub) attach(s *seat, from int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.clients.seat(h, s, from); err != nil {
		return err
	}
	h.stopAlone()
	h.seats[s] = struct{}{}
	return nil
}

// letsIn reports whether there is something to have a seat for. h.mu is locked.
func (h *hub) letsIn() bool { return !h.over && (h.ending == nil || h.keepsEnding()) }

// read gives a seat a cursor, from a message on for which the client has asked, or, if it
// has not, as the options say.
func (h *hub) read(s *seat, asked int64, o wire.CursorOptions) (err error) {
	if asked != 0 {
		o.From = asked
	}
	o.Compress = s.compresses()
	if asked > h.log.Lent()+1 {
		err = wire.ErrNotKept // the client claims to have what nobody was sent
	} else {
		s.cursor, err = h.log.NewCursor(o)
	}
	if err != nil {
		first, _ := h.log.Kept()
		return goneEnding(first)
	}
	return nil
}

// has reports whether a seat was not taken over.
func (h *hub) has(s *seat) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.seats[s]
	return ok
}

// count counts messages that a seat is about to give to the program, and tells the
// program's session that they have come. It reports false, and the seat must not give
// them, if another seat has taken over.
func (h *hub) count(s *seat, t wire.Traffic) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.seats[s]; !ok {
		return false
	}
	h.received.Messages += t.Messages
	h.received.Bytes += t.Bytes
	select {
	case <-h.run.ready:
		if j := h.run.job; j != nil && j.in.arrived != nil {
			j.in.arrived(false, true)
		}
	default: // what is dropped need not wait for the program
	}
	return true
}
