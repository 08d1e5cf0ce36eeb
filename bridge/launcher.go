package bridge

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/wsbridge/wsbridge/process"
)

// Restart ends the sessions of some programs with close code 1012 (service
// restart) and a reason, and their children by the ladder. It does not wait
// for that, and meanwhile new connections get sessions as usual. It is for a program
// that has changed, so that its clients get the new one.
//
// changed chooses the programs by Command[0], or by the path by which a file below
// CommandDir is started; nil chooses all. CGI programs are not ended.
func (h *Handler) Restart(reason string, changed func(program string) bool) {
	cause := Ending{codeServiceRestart, reason}
	for _, l := range h.service().allLaunchers() {
		if changed == nil || changed(l.program.name()) {
			l.restart(cause)
		}
	}
}

// A launcher starts a program, and knows its sessions. There is one for each
// program that has any: clients may find many names for a program, as where
// those of files are the same in upper and lower case.
type launcher struct {
	service *service
	program program
	grace   time.Duration

	// Guarded by the service's mu.
	sessions int
	places   []*place        // of those that a new client may take over, the oldest first
	ctx      context.Context // of the sessions that joined after the last restart
	end      context.CancelCauseFunc
}

// join counts a session of a program, until it leaves. The session ends with
// the context, which ends with a restart or with the service's draining. It
// joins before its program is started: a session that begins while the program
// changes is then rather restarted once too often than not at all.
func (s *service) join(p program, grace time.Duration) (*launcher, context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.launchers[p.name()]
	if l == nil {
		l = &launcher{service: s, program: p, grace: grace}
		l.program.vars = nil // are one session's
		l.ctx, l.end = context.WithCancelCause(s.draining)
		if s.launchers == nil {
			s.launchers = make(map[string]*launcher)
		}
		s.launchers[p.name()] = l
	}
	l.sessions++
	return l, l.ctx
}

func (s *service) allLaunchers() []*launcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.launchers))
}

// start starts the program for a session.
func (l *launcher) start(env []string, streams process.Streams) (*process.Process, error) {
	return l.program.start(env, streams, l.grace)
}

// restart ends the sessions that there are. Those that join from now on belong
// to the next restart.
func (l *launcher) restart(cause Ending) {
	l.service.mu.Lock()
	if l.sessions == 0 { // meanwhile
		l.service.mu.Unlock()
		return
	}
	end := l.end
	l.ctx, l.end = context.WithCancelCause(l.service.draining)
	l.service.mu.Unlock()
	end(cause)
}

// leave is for the end of a session. A launcher without any is forgotten.
func (l *launcher) leave(p *place) {
	l.service.mu.Lock()
	l.sessions--
	if i := slices.Index(l.places, p); i >= 0 {
		l.places = slices.Delete(l.places, i, i+1)
	}
	last := l.sessions == 0
	if last {
		delete(l.service.launchers, l.program.name())
	}
	end := l.end
	l.service.mu.Unlock()
	if last {
		end(nil)
	}
	if p.end != nil {
		p.end(nil)
	}
}
