package console

import "net/http"

// originHeader marks the console's question why a handshake has failed, and carries
// the Origin of that handshake, which browsers leave out of a GET. Only a page of
// the server's own can send it: for others the browser would ask the server first.
const originHeader = "Wsbridge-Origin"

// Ask answers the console's question, at any path, with the status and the reason
// that refusal gives for a handshake, or with 204 for the status 0. All other
// requests go to next.
func Ask(refusal func(*http.Request) (status int, reason string), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get(originHeader)
		if origin == "" || r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		handshake := r.Clone(r.Context())
		handshake.Header.Set("Origin", origin)
		w.Header().Set("Cache-Control", "no-store")
		if status, reason := refusal(handshake); status != 0 {
			http.Error(w, reason, status)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
