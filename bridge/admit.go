package bridge

import (
	"context"
	"net/http"
)

// An admission is what is known about a request on its way to a session, a page or a
// CGI program.
type admission struct {
	handler *Handler
	request *http.Request // as its client sent it: see Gate.client
	client  client
	asking  bool   // it is not a handshake, but asks about one: nothing is taken
	name    string // of the client; empty: not known
	program program
	place   *place
	seat    *place // among the clients of shared programs; nil: it needs none

	// Of a session only: what starts its program, and what ends it when the
	// program changes or the server drains.
	launcher *launcher
	ctx      context.Context
	visit    *visit // of a program that others may have started; nil: one of its own
}

// admission begins the admission of a request.
func (h *Handler) admission(r *http.Request) *admission {
	a := &admission{handler: h}
	a.client, a.request = h.gate().client(r)
	return a
}

// An admitStep finds out one thing about a request, or refuses it.
type admitStep = func(*admission) *Refusal

// The steps, in their order. Steps that cost something come after those that may
// refuse the request.
var (
	toSession = []admitStep{
		(*admission).checkHandshake,
		(*admission).checkHost,
		(*admission).checkOrigin,
		(*admission).findProgram,
		(*admission).checkTerminal,
		(*admission).takePlace,
		(*admission).join,
		(*admission).lookUpName,
	}
	toPage = []admitStep{
		(*admission).checkHost,
	}
	// The program is found before, and the name is looked up when the body of
	// the request is there.
	toCGI = []admitStep{
		(*admission).checkHost,
		(*admission).checkOrigin,
		(*admission).checkSite,
		(*admission).takePlaceForCGI,
	}
)

// pass goes through the steps up to the first that refuses.
func (a *admission) pass(steps []admitStep) *Refusal {
	for _, next := range steps {
		if refused := next(a); refused != nil {
			return refused
		}
	}
	return nil
}

func (a *admission) checkHost() *Refusal   { return a.handler.gate().checkHost(a.request) }
func (a *admission) checkOrigin() *Refusal { return a.handler.gate().checkOrigin(a.request) }
func (a *admission) checkSite() *Refusal   { return a.handler.gate().checkSite(a.request) }

// takePlace takes a place among the sessions.
func (a *admission) takePlace() *Refusal { return a.takePlaceFor(1) }

// takePlaceForCGI takes a place that MaxSessions does not count.
func (a *admission) takePlaceForCGI() *Refusal { return a.takePlaceFor(0) }

func (a *admission) takePlaceFor(sessions int) (refused *Refusal) {
	l := a.handler.limits()
	applicant := &applicant{who: l.limitFor(a.client), sessions: sessions}
	if l.TakeOver && sessions > 0 {
		applicant.takesOver = &a.program
	}
	a.place, refused = a.enter(applicant)
	return refused
}

// join makes the session one of its program's.
func (a *admission) join() *Refusal {
	if a.asking {
		return nil
	}
	a.launcher, a.ctx = a.handler.service().join(a.program, a.handler.Bounds.Grace)
	a.place.launcher = a.launcher
	if a.place.exclusive {
		a.ctx = a.launcher.exclusive(a.ctx, a.place)
	}
	return nil
}

// info is what events say about the request.
func (a *admission) info() *Info {
	return &Info{Remote: a.request.RemoteAddr, Path: a.request.URL.Path, Program: a.program.name()}
}
