package bridge

import (
	"context"

	"github.com/coder/websocket"
)

// Restart ends the sessions of some programs with close code 1012 (service
// restart) and a reason, and their children by the ladder. It does not wait
// for that, and connections that come meanwhile get a session as ever: it is
// for a program that has changed, whose clients should meet the new one.
//
// The programs are those of which changed says so, by Command[0] or by the path
// that a file below CommandDir is started by; a nil function stands for all.
// It must not call the Handler. CGI programs go on.
func (h *Handler) Restart(reason string, changed func(program string) bool) {
	h.once.Do(h.init)
	cause := Close{int(websocket.StatusServiceRestart), reason}
	h.mu.Lock()
	defer h.mu.Unlock()
	for program, g := range h.generations {
		if changed == nil || changed(program) {
			g.end(cause)
			delete(h.generations, program)
		}
	}
}

// A generation is the sessions of a program between two restarts. Its context
// ends like that of the Handler's draining, or before it.
type generation struct {
	ctx      context.Context
	end      context.CancelCauseFunc
	program  string
	sessions int // guarded by the Handler's mu
}

// join is the generation that a new session of a program belongs to, until it
// leaves. It must be known before the program is started: a session that begins
// while the program changes is then rather restarted once too often than not at
// all.
func (h *Handler) join(p program) *generation {
	var name string
	if len(p.command) > 0 {
		name = p.command[0]
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	g, ok := h.generations[name]
	if !ok {
		if h.generations == nil {
			h.generations = make(map[string]*generation)
		}
		g = &generation{program: name}
		g.ctx, g.end = context.WithCancelCause(h.draining)
		h.generations[name] = g
	}
	g.sessions++
	return g
}

// leave is for the end of a session. A generation without any is forgotten:
// clients may find many names for a program, as where those of files are the
// same in upper and lower case.
func (h *Handler) leave(g *generation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g.sessions--; g.sessions > 0 {
		return
	}
	g.end(nil)
	if h.generations[g.program] == g {
		delete(h.generations, g.program)
	}
}
