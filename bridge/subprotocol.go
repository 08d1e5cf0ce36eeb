package bridge

import (
	"net/http"
	"slices"
)

// countingProtocol is the subprotocol of clients that count, which goes before
// those of the program.
const countingProtocol = "wsbridge.v1"

// counts reports whether a client counts, and may do so.
func (a *admission) counts() bool {
	return a.visit != nil && hasToken(a.request.Header, "Sec-Websocket-Protocol", countingProtocol)
}

// subprotocol is the one that the answer chooses.
func (a *admission) subprotocol() string {
	if a.counts() {
		return countingProtocol
	}
	return a.handler.subprotocol(a.request)
}

// programProtocol is the one that the program speaks with the client.
func (a *admission) programProtocol() string {
	if a.counts() {
		return ""
	}
	return a.handler.subprotocol(a.request)
}

// subprotocol is the first of h.Subprotocols that the client offers, or empty
// (RFC 6455, section 4.2.2). The answer has it in the client's letters, because
// some clients compare letter by letter; the child has it in ours.
func (h *Handler) subprotocol(r *http.Request) string {
	i := slices.IndexFunc(h.Subprotocols, func(name string) bool {
		return hasToken(r.Header, "Sec-Websocket-Protocol", name)
	})
	if i < 0 {
		return ""
	}
	return h.Subprotocols[i]
}
