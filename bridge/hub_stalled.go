package bridge

import (
	"context"
	"time"

	"github.com/wsbridge/wsbridge/process"
)

// A hosted job tells its hub when the program is gone.
type hosted struct {
	*job
	hub  *hub
	last *place // is told of the end of the last run
}

func (j hosted) end(cause error, draining, killed context.Context) process.State {
	if !j.hub.options.restart || !j.hub.isOpen() {
		j.job.place = j.last // no other run needs it
	}
	state := j.job.end(cause, draining, killed)
	if !j.hub.options.pings && !j.hub.options.restart {
		j.hub.watchStalled(nil)
	}
	return state
}

// watchStalled looks every stallLimit for clients that take nothing of what a program
// has left, when no pings tell whether they live. Without it such a client would keep
// the program's place for ever.
func (h *hub) watchStalled(before map[*seat]int64) {
	if reached := h.endStalled(before); reached != nil {
		time.AfterFunc(stallLimit, func() { h.watchStalled(reached) })
	}
}

// endStalled ends the links of clients that have something to take, but have taken
// nothing since they had reached what before says. It returns what they have reached
// now, or nil if the hub is over.
func (h *hub) endStalled(before map[*seat]int64) (reached map[*seat]int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return nil
	}
	reached = make(map[*seat]int64, len(h.seats))
	for s := range h.seats {
		reached[s] = s.conn.Reached()
		if n, ok := before[s]; ok && n == reached[s] && s.cursor.IsSending() {
			s.stop(errLost)
		}
	}
	return reached
}
