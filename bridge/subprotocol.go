package bridge

import (
	"net/http"
	"slices"
)

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
