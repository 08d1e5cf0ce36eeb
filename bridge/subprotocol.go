package bridge

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// countingProtocol is the subprotocol of clients that count. It is selected before
// those of the program.
const countingProtocol = "wsbridge.v1"

// counts reports whether the client counts, which it may with Share, and with Resume if
// it has a key.
func (a *admission) counts() bool {
	return a.visit != nil && wire.HasToken(a.request.Header, "Sec-Websocket-Protocol", countingProtocol)
}

// subprotocol returns the one that the answer selects.
func (a *admission) subprotocol() string {
	if a.counts() {
		return countingProtocol
	}
	if name := firstOffered(a.request, protocolsOf(a.handler.Framing)); name != "" {
		return name
	}
	return a.handler.subprotocol(a.request)
}

// programProtocol returns the one that the program speaks with the client.
func (a *admission) programProtocol() string {
	if a.counts() || firstOffered(a.request, protocolsOf(a.handler.Framing)) != "" {
		return ""
	}
	return a.handler.subprotocol(a.request)
}

// subprotocol is the first of h.Subprotocols that the client offers, or empty
// (RFC 6455, section 4.2.2). The answer has it in the client's letters, because
// some clients compare letter by letter; the child has it in ours.
func (h *Handler) subprotocol(r *http.Request) string { return firstOffered(r, h.Subprotocols) }

func firstOffered(r *http.Request, names []string) string {
	i := slices.IndexFunc(names, func(name string) bool {
		return wire.HasToken(r.Header, "Sec-Websocket-Protocol", name)
	})
	if i < 0 {
		return ""
	}
	return names[i]
}

// protocolsOf returns the subprotocols that are names of a framing. They are selected
// before those of the program.
func protocolsOf(f Framing) []string {
	switch f := f.(type) {
	case ReadOnly:
		return protocolsOf(f.Framing)
	case interface{ protocols() []string }:
		return f.protocols()
	}
	return nil
}

// promptly is how soon a client leaves if it does not go on without a subprotocol.
const promptly = 5 * time.Second

// An offer is what a client offered if it got no subprotocol.
type offer struct {
	names []string // nil: it offered none, or got one
	brief bool     // the session was over promptly
}

// end notes the end of a session that began at a time.
func (o *offer) end(began time.Time) { o.brief = o.names != nil && time.Since(began) < promptly }

// unanswered returns what a client offered if none of it is selected. A browser then
// drops the connection (WHATWG WebSockets, section 4.1).
func (a *admission) unanswered() []string {
	lines := a.request.Header["Sec-Websocket-Protocol"]
	if len(lines) == 0 || a.subprotocol() != "" {
		return nil
	}
	var offered []string
	for name := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if name = strings.TrimSpace(name); name != "" {
			offered = append(offered, name)
		}
	}
	return offered
}

// tellUnanswered emits NoSubprotocol for a client that left because it got none.
func (h *Handler) tellUnanswered(s *session, info *Info, ending Ending) {
	if s.offer.brief && info.In.Messages == 0 && s.peerLeft(ending) {
		h.emit(NoSubprotocol{*info, s.offer.names})
	}
}

// peerLeft reports whether it was the client that has left, also if the program ended
// meanwhile and found nobody.
func (s *session) peerLeft(ending Ending) bool {
	cause, _ := errors.AsType[Ending](context.Cause(s.ctx))
	switch {
	case ending.Code == codeAbnormal:
		return ending != errPeerDead
	case cause == errShutdown, cause == errTimeout, cause == errIdle, cause.Code == codeServiceRestart:
		return false
	}
	return cause.Code == codeNormal || cause.Code == codeGoingAway || cause.Code == codeNone
}
