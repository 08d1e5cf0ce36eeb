package bridge

import (
	"context"
	"net/netip"
)

// A place is what a session or a CGI program has among the Limits, and at its
// Handler. It gives back its child when that is gone, and itself when nothing
// is left. A nil place is that of a Client, which needs none.
type place struct {
	limits    *Limits
	who       netip.Prefix
	client    bool      // of a shared program: it is no program
	exclusive bool      // its session takes over, and may be taken over
	service   *service  // nil: its Handler does not count it yet
	launcher  *launcher // nil: it has not joined a program's sessions

	end context.CancelCauseFunc // ends the session; nil: nobody may take over from it

	// Guarded by the limits' mu.
	unbegun int // sessions that do not count if they come to nothing: 1 or 0
	state   placeState
}

// A placeState only grows.
type placeState int

const (
	placeTaken  placeState = iota // its child runs, or is about to be started
	placeEnding                   // its child is about to be gone
	placeTail                     // its child is gone, but the client may not have all of its output
	placeFreed                    // nothing is left
)

// counts is what a place in that state counts for.
func (s placeState) counts() taken {
	switch s {
	case placeTaken:
		return taken{places: 1}
	case placeEnding:
		return taken{places: 1, ending: 1}
	case placeTail:
		return taken{tails: 1}
	}
	return taken{}
}

// begin says that the session is one, which MaxSessions counts for good.
func (p *place) begin() {
	p.limits.mu.Lock()
	defer p.limits.mu.Unlock()
	p.unbegun = 0
}

// ending says that the child is about to be gone: whoever finds the places
// taken may wait for that.
func (p *place) ending() { p.become(placeEnding) }

// programGone gives back what the child has taken. The session may go on: its
// client may be slow to take what the child has left.
func (p *place) programGone() { p.become(placeTail) }

// become reports whether the state is a new one.
func (p *place) become(state placeState) bool {
	if p == nil {
		return false
	}
	l := p.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	if state <= p.state {
		return false
	}
	l.count(p, p.state.counts(), state.counts())
	p.state = state
	if state == placeFreed {
		l.begun -= p.unbegun
		p.unbegun = 0
	}
	if state >= placeTail {
		l.settle()
	}
	return true
}

// free gives everything back. To call it again does nothing.
func (p *place) free() {
	if !p.become(placeFreed) {
		return
	}
	if p.launcher != nil {
		p.launcher.leave(p)
	}
	if p.service != nil {
		p.service.leave()
	}
}
