package bridge

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/netip"
	"time"
)

// Share runs one program for all clients, and sends every client each of its
// messages. With CommandDir there is one for each program. The first client
// starts it. Messages from clients reach it whole, in the order of arrival. When it
// exits, each client gets the rest of its output and its close code.
//
// Its environment has nothing from a request. WSBRIDGE_SHARED is 1, and UNIQUE_ID is
// the name of the run. Timeout and IdleTimeout apply to each connection.
type Share struct {
	// ByURL runs one program for each path and query. The program finds them in
	// PATH_INFO and QUERY_STRING.
	ByURL bool

	// Keep is how long the program goes on after its last client has left. If it is
	// negative, the program goes on without clients, and Handler.Start starts it.
	Keep time.Duration

	// Restart starts the program again when it has exited, while clients stay
	// connected. It waits 1 s before that, then 2 s, up to 30 s, and 1 s again when the
	// program has run for a minute.
	Restart bool

	// Replay is how many of the newest messages a new client gets first, as far as
	// Buffer has them.
	Replay int

	// Buffer is how many bytes of the newest messages are kept for all clients
	// together. One read of the program's output may come on top. Zero means 1 MiB.
	Buffer int

	// Slow says what happens to a client that falls out of the buffer. The program is
	// read no faster than the fastest client takes its messages.
	Slow Slow
}

// Slow is what happens to a client that does not keep up with a shared program.
type Slow int

const (
	SlowClose Slow = iota // its connection is closed with 1013
	SlowSkip              // it continues with the newest message
	SlowWait              // the program waits for it, as long as it answers pings
)

var toShared = []admitStep{
	(*admission).checkHandshake,
	(*admission).checkHost,
	(*admission).checkOrigin,
	(*admission).findProgram,
	(*admission).checkTerminal,
	(*admission).findShared,
	(*admission).takeSeat,
	unlessFound((*admission).takeSharedPlace),
	unlessFound((*admission).join),
}

func (s Share) steps() []admitStep { return toShared }

func (s Share) open(h *Handler, w http.ResponseWriter, a *admission) {
	a.visit.join(h, w, a, h.options(a), func() *hub { return s.newHub(h, a.visit.key) })
}

func (s Share) newHub(h *Handler, key hubKey) *hub {
	run := rand.Text()
	return newHub(h.service(), key, run, run, audience{s.Slow, int64(s.Replay)}, hubOptions{
		buffer:  cmp.Or(s.Buffer, DefaultBuffer),
		pings:   h.Bounds.pingInterval() > 0,
		restart: s.Restart,
		alone:   s.Keep,
	})
}

// findShared finds the program that a client shares.
func (a *admission) findShared() *Refusal {
	share, _ := a.handler.Hosting.(Share)
	v := a.sharedVisit()
	if a.counts() {
		rest, own := cutParameters(a.request.URL.RawQuery)
		if refused := v.setReceived(own["received"]); refused != nil {
			return refused
		}
		if len(own["resume"]) == 1 {
			v.name = own["resume"][0]
		}
		a.request = withQuery(a.request, rest)
	}
	v.key = newHubKey(a.program.name())
	if share.ByURL {
		v.key = newHubKey(a.program.name(), a.request.URL.Path, a.request.URL.RawQuery)
	}
	v.hub = a.handler.service().found(v.key)
	return nil
}

// sharedVisit makes the request a visit to a shared program.
func (a *admission) sharedVisit() *visit {
	a.visit = &visit{
		received: -1,
		environ:  a.sharedEnviron,
		steps:    []admitStep{(*admission).takeSharedPlace, (*admission).join},
	}
	return a.visit
}

// takeSeat takes a place among the clients of shared programs.
func (a *admission) takeSeat() *Refusal {
	place, refused := a.enter(&applicant{who: a.handler.limits().limitFor(a.client), client: true})
	a.seat = place
	return refused
}

// takeSharedPlace takes a place for a program, which counts for no client's address.
func (a *admission) takeSharedPlace() (refused *Refusal) {
	a.place, refused = a.enter(&applicant{who: netip.Prefix{}, sessions: 1})
	return refused
}

// sharedEnviron is the environment of a shared program.
func (a *admission) sharedEnviron(id string) []string {
	h := a.handler
	env := newEnvironment(8 + len(h.Env))
	share, _ := h.Hosting.(Share)
	for _, v := range a.program.vars {
		if v.name == "SCRIPT_NAME" || share.ByURL {
			env.set(v.name, v.value)
		}
	}
	if share.ByURL {
		env.set("PATH_INFO", a.request.URL.Path)
		env.set("QUERY_STRING", a.request.URL.RawQuery)
	}
	env.set("SERVER_SOFTWARE", h.serverSoftware())
	env.set("GATEWAY_INTERFACE", "CGI/1.1")
	env.set("WSBRIDGE_SHARED", "1")
	env.set("UNIQUE_ID", id)
	env.setAll(h.Env)
	return env.list
}

// Start starts the program of a Share that is kept for good (Keep), before its
// first client. With CommandDir and with ByURL there is nothing to start.
func (h *Handler) Start() error {
	share, ok := h.Hosting.(Share)
	if !ok || share.Keep >= 0 || share.ByURL || h.CommandDir != nil {
		return nil
	}
	a := &admission{handler: h, request: new(http.Request).WithContext(context.Background())}
	a.program = program{command: h.Command, dir: h.Dir}
	v := a.sharedVisit()
	v.key = newHubKey(a.program.name())
	first, err := v.find(h, a, func() *hub { return share.newHub(h, v.key) })
	if refused, ok := errors.AsType[Ending](err); ok {
		return errors.New(refused.Reason)
	}
	if !first {
		return nil
	}
	info := Info{ID: v.hub.id, Program: a.program.name()}
	a.place.begin()
	h.emit(Opened{info})
	go h.host(v.hub, a, info)
	return nil
}

// How long a shared program that has exited waits before it is started again.
const (
	firstRestart  = time.Second
	latestRestart = 30 * time.Second
	longRun       = time.Minute // after which the next wait is the first again
)

// nextRestart is how long to wait before the next run, after a wait and a run of that
// length.
func nextRestart(wait, ranFor time.Duration) time.Duration {
	if wait == 0 || ranFor >= longRun {
		return firstRestart
	}
	return min(2*wait, latestRestart)
}
