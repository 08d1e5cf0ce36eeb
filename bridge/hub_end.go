package bridge

import (
	"errors"
	"fmt"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// leave takes a seat from the hub when its session has ended, and decides what that
// means for the program. answered says whether the client answered the close frame.
func (h *hub) leave(s *seat, cause error, answered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.seats[s]; !ok {
		return // it was taken over
	}
	delete(h.seats, s)
	h.clients.left(h, s, cause, answered)
}

// goesOn lets the program go on without a client, if no seat is left and unless it has
// ended already. When its time is over, it is ended for the reason why. h.mu is locked.
func (h *hub) goesOn(why Ending) {
	switch {
	case len(h.seats) > 0:
	case h.ending != nil && !h.keepsEnding(), h.isKeptInVain():
		h.finish()
	default:
		h.startAlone(why)
	}
}

// tells reports whether a link that ends for a cause has told the end.
func (h *hub) tells(cause error) bool { return h.ending != nil && endsWith(cause, *h.ending) }

// endsWith reports whether a session that ended for a cause told its client end.
func endsWith(cause error, end wire.Ending) bool {
	if ended, ok := errors.AsType[programEnded](cause); ok {
		return ended.Ending == Ending(end)
	}
	own, ok := errors.AsType[Ending](cause)
	return ok && own == Ending(end)
}

// goneEnding is for a client that asks for a message that is not kept.
func goneEnding(first int64) Ending {
	return Ending{4410, fmt.Sprintf("gone: %d is the first kept", first)}
}

// isLoss reports whether a client whose link ended in this way may come back: there
// was no close frame, or its page was reloaded or left (1001).
func isLoss(end Ending) bool { return end.Code == codeAbnormal || end.Code == codeGoingAway }

// keepsEnding reports whether the hub waits for a client that is away, to tell it the
// end.
func (h *hub) keepsEnding() bool {
	return h.ending != nil && h.clients.keepsEnding(h.exited, Ending(*h.ending))
}

// isKeptInVain reports whether the program has ended, and nobody can come any more
// because the server drains.
func (h *hub) isKeptInVain() bool { return h.ending != nil && h.service.draining.Err() != nil }

// endInVain lets the server end at once if the end is kept for clients that are away.
func (h *hub) endInVain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.seats) == 0 && h.isKeptInVain() {
		h.finish()
	}
}

// startAlone starts the time that the program goes on without a seat; when it is over,
// the program is ended for the reason why. h.mu is locked.
func (h *hub) startAlone(why Ending) {
	switch d := h.options.alone; {
	case h.over, d < 0 && h.ending == nil:
	case d <= 0:
		h.abandon(why)
	default:
		var timer *time.Timer
		timer = time.AfterFunc(d, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.alone == timer { // else a client came just then, and may have left again
				h.abandon(why)
			}
		})
		h.alone = timer
	}
}

// stopAlone is for when a seat is taken, or the hub is over. h.mu is locked.
func (h *hub) stopAlone() {
	if h.alone != nil {
		h.alone.Stop()
		h.alone = nil
	}
}

// abandon ends the program because nobody wants it any more. h.mu is locked.
func (h *hub) abandon(why Ending) {
	if h.over {
		return
	}
	h.finish()
	h.log.Cut()
	h.endProgram(why)
}

// endProgram ends the session of the program for the reason why. Whoever comes from now
// on is for another one. h.mu is locked.
func (h *hub) endProgram(why Ending) {
	h.service.forget(h)
	select {
	case h.abandoned <- wire.Ending(why):
	default: // it ends already
	}
}

// finish lets nobody in any more, and releases Close from waiting for clients. h.mu is
// locked.
func (h *hub) finish() {
	if !h.over {
		h.over = true
		h.stopAlone() // which would keep all that belongs to the hub
		h.service.forget(h)
		close(h.done)
	}
}

// cause is why a client's session ends when the log has ended.
func (h *hub) cause() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.causeLocked()
}

func (h *hub) causeLocked() error {
	switch {
	case h.ending == nil && h.service.draining.Err() != nil:
		return errShutdown
	case h.ending == nil:
		return errLost
	case h.exited:
		return programEnded{Ending(*h.ending)}
	}
	return Ending(*h.ending)
}
