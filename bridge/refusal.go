package bridge

import (
	"net/http"
	"slices"
)

// A Refusal is the answer to a request that starts no session and no program.
type Refusal struct {
	// Status is the status of the answer, and Rule says what the request broke.
	Status int
	Rule   Rule

	// Reason is what the client is told. Detail is for the log: what the client
	// may not know, or knows already; often empty.
	Reason string
	Detail string

	// Subject is what would have to be allowed: for RuleHost the host, for
	// RuleOrigin the page, for RuleAddress the address or its /64. It is in
	// canonical form, so that it can be copied from a log to a command line. It
	// is empty where nothing would help.
	Subject string

	// Proxy is set for RuleAddress when the request claims to come through a
	// proxy that is not in Gate.TrustedProxies: it is the proxy's address.
	Proxy string

	header http.Header // in addition
}

// A Rule is why a request is refused.
type Rule int

const (
	RuleHandshake    Rule = iota + 1 // a malformed opening handshake
	RulePlain                        // no WebSocket is asked for, and there is no Plain
	RuleHost                         // Host is malformed, or not one of Gate.Hosts
	RuleOrigin                       // a page that Gate.Origins does not have
	RuleNotFound                     // the path names no program
	RuleShuttingDown                 // Shutdown was called
	RuleSessions                     // Limits.MaxSessions
	RuleForks                        // Limits.MaxForks
	RuleAddress                      // Limits.MaxPerAddress
	RuleClients                      // Limits.MaxClients
	RuleGone                         // the client left before it got a place
	RuleBodySize                     // a body over Bounds.MaxMessageSize
	RuleBody                         // a body that came too slowly or not whole
)

var shuttingDown = &Refusal{Status: http.StatusServiceUnavailable, Rule: RuleShuttingDown, Reason: "server shutting down"}

// ending is the refusal of one whose handshake is done.
func (r *Refusal) ending() Ending {
	if r == shuttingDown {
		return errShutdown
	}
	return Ending{codeTryAgainLater, r.Reason}
}

// refuse answers the request with a refusal, and gives back what it has taken.
func (a *admission) refuse(w http.ResponseWriter, refused *Refusal) {
	refused.answer(w, a.request, a.handler.Events)
	a.place.free()
	a.seat.free()
}

// answer answers a request with the refusal, and tells events, which may be nil.
func (r *Refusal) answer(w http.ResponseWriter, to *http.Request, events func(Event)) {
	if events != nil {
		events(Refused{Info{Remote: to.RemoteAddr, Path: to.URL.Path}, *r})
	}
	for name, value := range r.header {
		if to.ProtoMajor == 1 || name != "Connection" && name != "Upgrade" { // RFC 9113, section 8.2.2
			w.Header()[name] = slices.Clone(value)
		}
	}
	http.Error(w, r.Reason, r.Status)
}
