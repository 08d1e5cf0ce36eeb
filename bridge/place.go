package bridge

import "net/netip"

// A place is what a session or a CGI program has among the Limits, and at its
// Handler. It gives back its child when that is gone, and itself when nothing
// is left. A nil place is that of a Client, which needs none.
type place struct {
	limits   *Limits
	who      netip.Prefix
	service  *service  // nil: its Handler does not count it yet
	launcher *launcher // nil: it has not joined a program's sessions

	// Guarded by the limits' mu.
	unbegun int // sessions that do not count if they come to nothing: 1 or 0
	state   placeState
	freed   bool
}

type placeState int

const (
	placeTaken  placeState = iota // its child runs, or is about to be started
	placeEnding                   // its child is about to be gone
	placeGone                     // it has no child any more
)

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
func (p *place) programGone() { p.become(placeGone) }

func (p *place) become(state placeState) {
	if p == nil {
		return
	}
	l := p.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	if state <= p.state {
		return
	}
	if p.state == placeEnding {
		l.count(p.who, 0, -1)
	}
	switch state {
	case placeEnding:
		l.count(p.who, 0, 1)
	case placeGone:
		l.count(p.who, -1, 0)
		defer l.settle()
	}
	p.state = state
}

// free gives everything back. To call it again does nothing.
func (p *place) free() {
	if p == nil {
		return
	}
	p.programGone()
	p.limits.mu.Lock()
	again := p.freed
	p.freed = true
	p.limits.begun -= p.unbegun
	p.unbegun = 0
	p.limits.mu.Unlock()
	if again {
		return
	}
	if p.launcher != nil {
		p.launcher.leave()
	}
	if p.service != nil {
		p.service.leave()
	}
}
