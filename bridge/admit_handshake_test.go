package bridge

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// upgradeRequest is a good handshake for a server at localhost:8080, changed
// by edit.
func upgradeRequest(edit ...func(*http.Request)) *http.Request {
	r := wiretest.Request()
	r.Host = "localhost:8080"
	for _, f := range edit {
		f(r)
	}
	return r
}

func withHeader(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func withHost(host string) func(*http.Request) {
	return func(r *http.Request) { r.Host = host }
}

func overTLS(r *http.Request) { r.TLS = new(tls.ConnectionState) }

// statusOf is that of a refusal, and 101 without one.
func statusOf(r *Refusal) int {
	if r == nil {
		return http.StatusSwitchingProtocols
	}
	return r.Status
}

// check goes through what is checked before anything is looked for.
func check(h *Handler, r *http.Request) *Refusal { return h.admission(r).pass(toSession[:3]) }

func TestHandshake(t *testing.T) {
	proto := func(name string, major, minor int) func(*http.Request) {
		return func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = name, major, minor }
	}
	method := func(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	upgrade := header("Upgrade", "websocket", "Connection", "Upgrade")
	version := header("Upgrade", "websocket", "Connection", "Upgrade", "Sec-WebSocket-Version", "13")
	http2 := header("Upgrade", "", "Connection", "", "Sec-WebSocket-Version", "13") // RFC 9113, section 8.2.2

	for _, test := range []struct {
		name   string
		edit   func(*http.Request)
		status int
		header http.Header // that the answer must have
	}{
		{"good", func(*http.Request) {}, 101, nil},
		{"HTTP/1.0", proto("HTTP/1.0", 1, 0), 426, version},
		{"HTTP/2", proto("HTTP/2.0", 2, 0), 426, http2},
		{"POST", method("POST"), 405, header("Allow", "GET")},
		{"HEAD", method("HEAD"), 405, header("Allow", "GET")},
		{"CONNECT", method("CONNECT"), 405, header("Allow", "GET")},
		{"get", method("get"), 405, header("Allow", "GET")},
		{"no Connection", withHeader("Connection"), 400, nil},
		{"Connection: close", withHeader("Connection", "close"), 400, nil},
		{"Connection: upgraded", withHeader("Connection", "upgraded"), 400, nil},
		{"Connection with two words", withHeader("Connection", "keep-alive upgrade"), 400, nil},
		{"Connection: upgrade", withHeader("Connection", "upgrade"), 101, nil},
		{"Connection as Firefox sends it", withHeader("Connection", "keep-alive, Upgrade"), 101, nil},
		{"Connection in upper case", withHeader("Connection", "KEEP-ALIVE,UPGRADE"), 101, nil},
		{"Connection with empty elements", withHeader("Connection", ", \tUpgrade ,"), 101, nil},
		{"Connection in two lines", withHeader("Connection", "keep-alive", "upgrade"), 101, nil},
		{"Upgrade in upper case", withHeader("Upgrade", "WebSocket"), 101, nil},
		{"Upgrade with a choice", withHeader("Upgrade", "h2c, websocket"), 101, nil},
		{"Upgrade with a long s and a Kelvin sign", withHeader("Upgrade", "web\u017foc\u212aet"), 426, upgrade},
		{"no version", withHeader("Sec-WebSocket-Version"), 426, version},
		{"version 8", withHeader("Sec-WebSocket-Version", "8"), 426, version},
		{"version 14", withHeader("Sec-WebSocket-Version", "14"), 426, version},
		{"versions", withHeader("Sec-WebSocket-Version", "13, 8"), 426, version},
		{"no key", withHeader("Sec-WebSocket-Key"), 400, nil},
		{"an empty key", withHeader("Sec-WebSocket-Key", ""), 400, nil},
		{"a key of 15 bytes", withHeader("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j"), 400, nil},
		{"a key of 17 bytes", withHeader("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZWU="), 400, nil},
		{"a key that is not base64", withHeader("Sec-WebSocket-Key", "the sample nonce, no"), 400, nil},
		{"a key without padding", withHeader("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"), 400, nil},
		{"a key in base64url", withHeader("Sec-WebSocket-Key", "_-hlIHNhbXBsZSBub25jZQ=="), 400, nil},
		{"two keys", withHeader("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="), 400, nil},
		{"a key between spaces", withHeader("Sec-WebSocket-Key", " dGhlIHNhbXBsZSBub25jZQ== "), 101, nil},
		{"a NUL in the path", func(r *http.Request) { r.URL.Path = "/a\x00b" }, 400, nil},
		{"no Upgrade", withHeader("Upgrade"), 426, upgrade}, // a plain request, without anybody to answer it
		{"another Upgrade", withHeader("Upgrade", "h2c"), 426, upgrade},
	} {
		r := upgradeRequest(test.edit)
		h := &Handler{}
		if test.status == http.StatusSwitchingProtocols {
			if err := check(h, r); err != nil {
				t.Errorf("%s: refused with %d: %v", test.name, err.Status, err)
			}
			continue
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: status %d, want %d", test.name, w.Code, test.status)
		}
		for name := range test.header {
			if got := w.Header().Get(name); got != test.header.Get(name) {
				t.Errorf("%s: %s: %q, want %q", test.name, name, got, test.header.Get(name))
			}
		}
		if h.sessions() != 0 {
			t.Errorf("%s: a refused request is counted as a session", test.name)
		}
	}
}

// A request that deserves every refusal gets the first of them, and the next
// one when that is mended.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	h := &Handler{Limits: full()}
	r := upgradeRequest(withHost("evil.example"), withHeader("Origin", "http://other.example"))
	r.Method = http.MethodPost
	r.ProtoMinor = 0
	r.Header.Del("Connection")
	r.Header.Del("Sec-WebSocket-Version")
	r.Header.Del("Sec-WebSocket-Key")
	for _, step := range []struct {
		status int
		reason string
		mend   func()
	}{
		{426, "a WebSocket needs HTTP/1.1", func() { r.ProtoMinor = 1 }},
		{405, "a WebSocket handshake is a GET", func() { r.Method = http.MethodGet }},
		{400, "Connection: Upgrade is missing", func() { r.Header.Set("Connection", "Upgrade") }},
		{426, "only version 13 of the WebSocket protocol is supported", func() { r.Header.Set("Sec-WebSocket-Version", "13") }},
		{400, "Sec-WebSocket-Key is not 16 bytes in base64", func() { r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==") }},
		{403, "unknown host", func() { r.Host = "localhost" }},
		{403, "origin not allowed", func() { r.Header.Del("Origin") }},
		{429, "too many sessions", func() { h.Shutdown(t.Context()) }},
		{503, "server shutting down", nil},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := strings.TrimSpace(w.Body.String()); w.Code != step.status || got != step.reason {
			t.Errorf("%d %q, want %d %q", w.Code, got, step.status, step.reason)
		}
		if step.mend != nil {
			step.mend()
		}
	}
	if n := h.sessions(); n != 0 {
		t.Errorf("%d sessions are counted, want none", n)
	}
}
