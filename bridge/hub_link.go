package bridge

import (
	"context"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// These methods make a hub the link of its program's session, as a wire.Conn is that
// of a session without a hub.

// NewBatch returns a batch that is not compressed: the log compresses a message once
// for all clients that agreed to it.
func (h *hub) NewBatch() *wire.Batch { return new(wire.Batch) }

func (h *hub) Send(b *wire.Batch) error { return h.log.Send(b) }

// Receive waits until nobody wants the program any more. It hands over nothing: seats
// give the program directly what their clients send.
func (h *hub) Receive(wire.Inbox) error {
	run := h.currentRun()
	close(run.ready)
	select {
	case why := <-h.abandoned:
		return why
	case <-run.stopped:
		return wire.ErrStopped
	}
}

func (h *hub) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.run.stopped)
}

// Watch does nothing: each client's own link finds out whether the client lives.
func (h *hub) Watch(func(wire.Ending)) {}

// Answer says how all links end, when their clients have what the program still
// says. Unless the end is kept for a client that is away, whoever comes now gets
// another program.
func (h *hub) Answer(end wire.Ending) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ending = &end
	if !h.keepsEnding() {
		h.service.forget(h)
	}
}

func (h *hub) Say(wire.Ending) bool { return false }
func (h *hub) Respond()             {}
func (h *hub) Leave()               {}

// Cut drops what has not been sent, and ends all links.
func (h *hub) Cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	cause := h.causeLocked()
	for s := range h.seats {
		s.stop(cause)
	}
	h.log.Cut()
	h.finish()
}

// Close ends the log, so that every client gets what is left of it and then the end.
// It returns when no client has to be told any more. If the program is started again,
// this is the end of one run only, and clients notice nothing.
func (h *hub) Close(end wire.Ending, _ time.Duration) wire.Ending {
	h.mu.Lock()
	if h.ending == nil && h.options.restart && !h.over {
		h.run = newHubRun()
		h.mu.Unlock()
		return end // of this run only
	}
	if h.ending == nil {
		h.exited = true
		h.ending = &end
	}
	h.log.End()
	if !h.keepsEnding() {
		h.service.forget(h) // whoever comes now is for another run
		if len(h.seats) == 0 {
			h.finish()
		}
	}
	hurried := !h.exited && !h.keepsEnding()
	h.mu.Unlock()
	if hurried {
		defer time.AfterFunc(drainLimit, h.Cut).Stop()
	}
	defer context.AfterFunc(h.service.draining, h.endInVain)()
	<-h.done
	h.log.Cut()
	return end
}

// Reached changes when some client has taken more.
func (h *hub) Reached() int64 { return h.log.Taken() }

// These say that there is no client to wait for: each client's own link waits.
func (h *hub) Unread() int64           { return 0 }
func (h *hub) Ask() bool               { return false }
func (h *hub) Silent() <-chan struct{} { return nil }
func (h *hub) Pongs() <-chan struct{}  { return nil }

func (h *hub) Received() wire.Traffic {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.received
}

func (h *hub) Sent() wire.Traffic { return h.log.Sent() }
