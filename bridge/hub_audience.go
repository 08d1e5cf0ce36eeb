package bridge

import "github.com/wsbridge/wsbridge/bridge/internal/wire"

// An audience is the clientele of Share: whoever comes hears the same. Nobody's leaving
// ends the program, but it may end when nobody is left.
type audience struct {
	slow   Slow
	replay int64 // how many of the newest messages a new client gets first
}

func (a audience) newLog(_ *hub, buffer int) *wire.Log {
	if a.slow == SlowWait {
		return wire.NewLog(buffer, wire.UntilAll, nil)
	}
	return wire.NewLog(buffer, wire.UntilFirst, nil)
}

// from begins anew for a client that comes back where messages may be skipped: it cannot
// have counted those.
func (a audience) from(v *visit, _ bool) (number int64, resumed bool) {
	if v.received >= 0 && v.name == v.hub.name && a.slow != SlowSkip {
		return v.received + 1, true
	}
	return 0, false
}

func (a audience) seat(h *hub, s *seat, from int64) error {
	if !h.letsIn() {
		return errNoSession
	}
	o := wire.CursorOptions{Newest: a.replay, Skip: a.slow == SlowSkip}
	if a.slow == SlowClose {
		o.Fallen = func() { s.stop(errTooSlow) }
	}
	return h.read(s, from, o)
}

func (audience) ends(Ending) bool                            { return false }
func (audience) left(h *hub, _ *seat, _ error, _ bool)       { h.goesOn(errNoClient) }
func (audience) keepsEnding(exited bool, ending Ending) bool { return false }

func (audience) program(s *session, j *job) {
	s.life.limit, s.idle.limit = 0, 0
	j.many = true
}

func (audience) visitor(*session) {}

// owner has no address or path: the program is nobody's own.
func (audience) owner(visit Info) Info {
	visit.Remote, visit.Path = "", ""
	return visit
}
