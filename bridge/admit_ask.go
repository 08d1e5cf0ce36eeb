package bridge

import "net/http"

// WouldRefuse returns the Refusal that a WebSocket handshake with the client,
// URL, Host and Origin of a request would get now; nil means that it would be let
// in. A browser does not tell a page the status of a handshake that failed, so the
// page can ask for it this way. It takes no place, does not wait for one, and tells
// Events nothing.
func (h *Handler) WouldRefuse(r *http.Request) *Refusal {
	a := h.admission(r)
	a.asking = true
	return a.pass(h.hosting().steps())
}
