package bridge

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// upgradeRequest is a good handshake for a server at localhost:8080, changed
// by edit.
func upgradeRequest(edit ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "localhost:8080"
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
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

func mustParseOrigins(t testing.TB, rules ...string) []Origin {
	t.Helper()
	var origins []Origin
	for _, rule := range rules {
		o, err := ParseOrigin(rule)
		if err != nil {
			t.Fatal(err)
		}
		origins = append(origins, o)
	}
	return origins
}

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

// What HostChecked serves, it serves to requests for this server only, upgrades
// among them.
func TestHostChecked(t *testing.T) {
	h := &Handler{Gate: &Gate{Hosts: []string{"box.example"}}}
	checked := h.Gate.HostChecked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}), nil)
	for host, status := range map[string]int{"box.example:80": 418, "127.0.0.1": 418, "evil.example": 403, "a b": 400} {
		for _, edit := range []func(*http.Request){func(*http.Request) {}, withHeader("Upgrade")} {
			w := httptest.NewRecorder()
			checked.ServeHTTP(w, upgradeRequest(withHost(host), edit))
			if w.Code != status || strings.Contains(w.Body.String(), host) {
				t.Errorf("%s: %d %q", host, w.Code, w.Body)
			}
		}
	}
}

func TestHost(t *testing.T) {
	h := &Handler{
		Gate: &Gate{
			Hosts:   []string{"Box.Example", "named.example:9000", "dotted.example.", "not a host"},
			Origins: mustParseOrigins(t, "https://app.example:444", "page.example", "chrome-extension://abcdef"),
		},
	}
	for _, test := range []struct {
		host   string
		status int
	}{
		{"127.0.0.1", 101},
		{"127.0.0.1:8080", 101},
		{"127.0.0.1.", 101},
		{"0.0.0.0:8080", 101},
		{"192.168.1.5:8080", 101},
		{"8.8.8.8", 101},
		{"[::1]:8080", 101},
		{"[::1]", 101},
		{"::1", 101},
		{"[2001:DB8::1]:80", 101},
		{"[::ffff:127.0.0.1]:80", 101},
		{"[fe80::1%25eth0]:80", 101},
		{"localhost", 101},
		{"localhost:8080", 101},
		{"LocalHost:1", 101},
		{"localhost.:8080", 101},
		{"app.localhost:8080", 101},
		{"a.b.LOCALHOST.", 101},
		{"box.example", 101},
		{"box.example:1234", 101},
		{"BOX.EXAMPLE.", 101},
		{"named.example", 101},
		{"named.example:80", 101},
		{"dotted.example", 101},
		{"app.example", 101}, // of any port, behind whatever stands in front
		{"app.example:8080", 101},
		{"page.example:8080", 101},

		{"evil.example", 403},
		{"evil.example:8080", 403},
		{"localhost.evil.example", 403},
		{"127.0.0.1.evil.example", 403},
		{"notlocalhost", 403},
		{"sub.box.example", 403},
		{"example", 403},
		{"2130706433", 403}, // browsers write addresses out
		{"127.1", 403},
		{"0x7f.0.0.1", 403},
		{"my_host", 403},
		{"null", 403},

		{"", 400},
		{".", 400},
		{"localhost..", 400},
		{".localhost", 400},
		{"box..example", 400},
		{":8080", 400},
		{"localhost:", 101},
		{"::1:", 400},
		{"[::1]:", 101},
		{"localhost::", 400},
		{":", 400},
		{"evil.example:", 403},
		{"localhost:http", 400},
		{"localhost:65536", 400},
		{"localhost:-1", 400},
		{"localhost:80:80", 400},
		{"local host", 400},
		{"localhost/", 400},
		{"user@localhost", 400},
		{"localhost?x", 400},
		{"localhost#x", 400},
		{"[::1", 400},
		{"::1]:80", 400},
		{"[::1]80", 400},
		{"[]", 400},
		{"[localhost]", 400},
		{"[localhost]:80", 400},
		{"$(host).example", 400},
		{"local\x01host", 400},
		{"bücher.example", 400}, // xn--bcher-kva.example, as browsers send it
		{"[]:80", 400},
		{"*", 400},
		{"localhost,evil.example", 400},
		{"%6cocalhost", 400},

		// A name that is not the server's, dressed up as one that is.
		{"localhost:8080@evil.example", 400},
		{"localhost@evil.example:8080", 400},
		{"evil.example@localhost:8080", 400},
		{"user:password@localhost:8080", 400},
		{"@localhost", 400},
		{"evil.example#localhost", 400},
		{`evil.example\localhost`, 400},
		{"evil.example/localhost", 400},
		{"evil.example;localhost", 400},
		{"evil.example localhost", 400},
		{"evil.example\tlocalhost", 400},
		{"evil.example%00.localhost", 400},
		{"localhost%2eevil.example", 400},
		{"[::1].evil.example", 400},
		{"[::1]evil.example:80", 400},
		{"[evil.example]", 400},
		{"[::ffff:evil.example]:80", 400},
		{"::1.evil.example", 400},
		{"127.0.0.1:8080.evil.example", 400},
		{"localhost:80evil", 400},
		{"localhost:+80", 400},
		{"evil.example:localhost", 400},
		{"http://localhost", 400},
		{"evil.example", 403},
		{"evil-localhost", 403},
		{"localhost-evil", 403},
		{"1.0.0.127.in-addr.arpa", 403},
		{"7f000001.c0a80001.rbndr.example", 403}, // a name that changes its address at each question
		{"127.0.0.1.nip.example", 403},
		{"box.example.evil.example", 403},
		{"evil.box.example.", 403},
		{"XN--LOCALHOST", 403},
		{"ip6-localhost", 403}, // no browser has it for loopback
		{"localhost4", 403},
		{"localdomain", 403},
		{"0x7f000001", 403},
		{"017700000001", 403},
		{"1.2.3.4.5", 403},
		{"256.0.0.1", 403},
	} {
		r := upgradeRequest(withHost(test.host))
		if got := statusOf(check(h, r)); got != test.status {
			t.Errorf("Host: %s: %d, want %d", test.host, got, test.status)
		}
		// A page is not to be read by a rebound name either.
		r = httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = test.host
		h := &Handler{Plain: http.NotFoundHandler(), Gate: h.Gate}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if plain := map[int]int{101: 404, 403: 403, 400: 400}[test.status]; w.Code != plain {
			t.Errorf("plain request with Host: %s: %d, want %d", test.host, w.Code, plain)
		}
	}
}

// A page of a name that was pointed to this machine after it had been loaded
// is of the same origin as what it then reaches, so that only the name gives
// it away; with a loopback address under the name as with any other.
func TestRebinding(t *testing.T) {
	for _, test := range []struct {
		host, origin string
		status       int
	}{
		{"evil.example:8080", "http://evil.example:8080", 403},
		{"evil.example", "http://evil.example", 403},
		{"evil.example", "https://evil.example", 403},
		{"EVIL.example.:8080", "http://evil.example:8080", 403},
		{"evil.example:8080", "http://localhost:8080", 403},
		{"evil.example:8080", "null", 403},
		{"evil.example:8080", "", 403}, // a page's plain GET has no Origin
		{"localhost.evil.example:8080", "http://localhost.evil.example:8080", 403},
		{"127.0.0.1.evil.example:8080", "http://127.0.0.1.evil.example:8080", 403},
		{"localhost:8080", "http://evil.example:8080", 403},
		{"127.0.0.1:8080", "http://evil.example:8080", 403},
		{"box.example:8080", "http://evil.example:8080", 403},
		{"box.example:8080", "http://box.example:8080", 101},
		{"page.example:8080", "http://page.example:8080", 101},
		{"192.168.1.5:8080", "http://192.168.1.5:8080", 101},
	} {
		for _, same := range []bool{false, true} {
			h := &Handler{Gate: &Gate{Hosts: []string{"box.example"}, Origins: mustParseOrigins(t, "page.example"), SameOrigin: same}}
			r := upgradeRequest(withHost(test.host))
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if got := statusOf(check(h, r)); got != test.status {
				t.Errorf("Host: %s, Origin: %s, SameOrigin %t: %d, want %d", test.host, test.origin, same, got, test.status)
			}
		}
	}
}

// A rule for pages without an origin is none for a host.
func TestHostWhenNullMay(t *testing.T) {
	h := &Handler{Gate: &Gate{Origins: mustParseOrigins(t, "null")}}
	for host, status := range map[string]int{"null": 403, "null:8080": 403, "localhost": 101} {
		if got := statusOf(check(h, upgradeRequest(withHost(host)))); got != status {
			t.Errorf("Host: %s: %d, want %d", host, got, status)
		}
	}
}

// Whom every page may reach may have any name.
func TestHostWhenEveryOriginMay(t *testing.T) {
	h := &Handler{Gate: &Gate{Origins: mustParseOrigins(t, "*")}}
	for host, status := range map[string]int{"any.example": 101, "any.example:80": 101, "a b": 400} {
		if got := statusOf(check(h, upgradeRequest(withHost(host)))); got != status {
			t.Errorf("Host: %s: %d, want %d", host, got, status)
		}
	}
}

func TestOrigin(t *testing.T) {
	const box = "box.example"
	type edits = []func(*http.Request)
	for _, test := range []struct {
		name   string
		host   string
		origin []string
		rules  []string
		edits  edits
		status int // without SameOrigin
		same   int // with it
	}{
		// Absent.
		{"none", box, nil, nil, nil, 101, 101},
		{"none, with rules", box, nil, []string{"page.example"}, nil, 101, 101},

		// The server's own pages.
		{"own", box + ":8080", []string{"http://box.example:8080"}, nil, nil, 101, 101},
		{"own in upper case", "BOX.example:8080", []string{"HTTP://Box.EXAMPLE:8080"}, nil, nil, 101, 101},
		{"own with a dot", "box.example.:8080", []string{"http://box.example:8080"}, nil, nil, 101, 101},
		{"own of default port", box, []string{"http://box.example"}, nil, nil, 101, 101},
		{"own of default port, written", box + ":80", []string{"http://box.example"}, nil, nil, 101, 101},
		{"own of default port, written there", box, []string{"http://box.example:80"}, nil, nil, 101, 101},
		{"own over TLS", box + ":8443", []string{"https://box.example:8443"}, nil, edits{overTLS}, 101, 101},
		{"own over TLS, default port", box, []string{"https://box.example"}, nil, edits{overTLS}, 101, 101},
		{"own over TLS, default port written", box + ":443", []string{"https://box.example"}, nil, edits{overTLS}, 101, 101},
		{"own by IPv4", "192.168.1.5:8080", []string{"http://192.168.1.5:8080"}, nil, nil, 101, 101},
		{"own by IPv6", "[2001:db8::1]:8080", []string{"http://[2001:DB8:0::1]:8080"}, nil, nil, 101, 101},
		{"own by IPv6, no port", "[2001:db8::1]", []string{"http://[2001:db8::1]"}, nil, nil, 101, 101},

		// A proxy in front has ended TLS: the scheme is not the server's.
		{"proxy, default port", box, []string{"https://box.example"}, nil, nil, 101, 403},
		{"proxy, another port", box + ":8443", []string{"https://box.example:8443"}, nil, nil, 101, 403},
		{"page without TLS, server with", box + ":8443", []string{"http://box.example:8443"}, nil, edits{overTLS}, 101, 403},

		// Strangers.
		{"another host", box, []string{"http://evil.example"}, nil, nil, 403, 403},
		{"a host below", box, []string{"http://sub.box.example"}, nil, nil, 403, 403},
		{"a host above", box, []string{"http://example"}, nil, nil, 403, 403},
		{"a host that begins alike", box, []string{"http://box.example.evil.example"}, nil, nil, 403, 403},
		{"another port", box + ":8080", []string{"http://box.example:9090"}, nil, nil, 403, 403},
		{"the default port", box + ":8080", []string{"http://box.example"}, nil, nil, 403, 403},
		{"another port than the default", box, []string{"http://box.example:8080"}, nil, nil, 403, 403},
		{"the port of the other scheme", box + ":80", []string{"https://box.example"}, nil, nil, 403, 403},
		{"another address", "192.168.1.5:8080", []string{"http://192.168.1.6:8080"}, nil, nil, 403, 403},
		{"a stranger to a loopback name", "localhost:8080", []string{"https://evil.example"}, nil, nil, 403, 403},
		{"a stranger with that port", "localhost:8080", []string{"http://evil.example:8080"}, nil, nil, 403, 403},
		{"a loopback page to an address", "192.168.1.5:8080", []string{"http://localhost:8080"}, nil, nil, 403, 403},

		// Loopback names.
		{"localhost, same port", "localhost:8080", []string{"http://localhost:8080"}, nil, nil, 101, 101},
		{"localhost, other port", "localhost:8080", []string{"http://localhost:3000"}, nil, nil, 101, 403},
		{"localhost, default port", "localhost:8080", []string{"http://localhost"}, nil, nil, 101, 403},
		{"localhost over TLS", "localhost:8080", []string{"https://localhost:3000"}, nil, nil, 101, 403},
		{"other names of it", "127.0.0.1:8080", []string{"http://localhost:3000"}, nil, nil, 101, 403},
		{"other addresses of it", "localhost:8080", []string{"http://127.9.9.9:3000"}, nil, nil, 101, 403},
		{"IPv6", "[::1]:8080", []string{"http://app.localhost:3000"}, nil, nil, 101, 403},
		{"IPv4 and IPv6", "127.0.0.1:8080", []string{"http://[::1]:8080"}, nil, nil, 101, 403},
		{"mapped", "[::ffff:127.0.0.1]:8080", []string{"http://127.0.0.1:8080"}, nil, nil, 101, 101},
		{"no loopback name", "localhost:8080", []string{"http://localhost.evil.example:8080"}, nil, nil, 403, 403},

		// null.
		{"null", "localhost:8080", []string{"null"}, nil, nil, 403, 403},
		{"null, allowed", "localhost:8080", []string{"null"}, []string{"null"}, nil, 101, 101},
		{"null, everything allowed", "localhost:8080", []string{"null"}, []string{"*"}, nil, 101, 101},
		{"null, others allowed", "localhost:8080", []string{"null"}, []string{"localhost", "page.example"}, nil, 403, 403},

		{"null, in upper case", "localhost:8080", []string{"null"}, []string{"NULL"}, nil, 101, 101},
		{"null by another name", "localhost:8080", []string{"file://"}, nil, nil, 403, 403},
		{"null by another name, allowed", "localhost:8080", []string{"file://"}, []string{"null"}, nil, 101, 101},
		{"null is not a host of that name", box, []string{"http://null"}, []string{"null"}, nil, 403, 403},
		{"null, a host of that name allowed", box, []string{"null"}, []string{"http://null", "null:80"}, nil, 403, 403},
		{"a host of that name, allowed", box, []string{"http://null"}, []string{"http://null"}, nil, 101, 101},
		{"a host of that name, and its port", box, []string{"http://null"}, []string{"null:80"}, nil, 101, 101},

		// What no browser sends.
		{"empty", "localhost:8080", []string{""}, nil, nil, 403, 403},
		{"several", "localhost:8080", []string{"http://localhost:8080", "http://localhost:8080"}, nil, nil, 400, 400},
		{"several in one", "localhost:8080", []string{"http://localhost:8080 http://localhost:8080"}, nil, nil, 403, 403},
		{"a list", "localhost:8080", []string{"http://localhost:8080,http://localhost:8080"}, nil, nil, 403, 403},
		{"a host alone", "localhost:8080", []string{"localhost:8080"}, nil, nil, 403, 403},
		{"scheme-relative", "localhost:8080", []string{"//localhost:8080"}, nil, nil, 403, 403},
		{"a scheme alone", "localhost:8080", []string{"http://"}, nil, nil, 403, 403},
		{"no host", "localhost:8080", []string{"http://:8080"}, nil, nil, 403, 403},
		{"no slashes", "localhost:8080", []string{"http:localhost:8080"}, nil, nil, 403, 403},
		{"a path", "localhost:8080", []string{"http://localhost:8080/"}, nil, nil, 403, 403},
		{"a query", "localhost:8080", []string{"http://localhost:8080?q"}, nil, nil, 403, 403},
		{"a fragment", "localhost:8080", []string{"http://localhost:8080#f"}, nil, nil, 403, 403},
		{"a query that is empty", "localhost:8080", []string{"http://localhost:8080?"}, nil, nil, 403, 403},
		{"a fragment that is empty", "localhost:8080", []string{"http://localhost:8080#"}, nil, nil, 403, 403},
		{"userinfo", "localhost:8080", []string{"http://localhost:8080@localhost:8080"}, nil, nil, 403, 403},
		{"userinfo that is empty", "localhost:8080", []string{"http://@localhost:8080"}, nil, nil, 403, 403},
		{"a backslash", "localhost:8080", []string{`http://evil.example\@localhost:8080`}, nil, nil, 403, 403},
		{"a bad port", "localhost:8080", []string{"http://localhost:x"}, nil, nil, 403, 403},
		{"a port too large", "localhost:8080", []string{"http://localhost:65536"}, nil, nil, 403, 403},
		{"percent", "localhost:8080", []string{"http://%6cocalhost:8080"}, nil, nil, 403, 403},
		{"half a bracket", "localhost:8080", []string{"http://[::1:8080"}, nil, nil, 403, 403},
		{"userinfo of a stranger", "localhost:8080", []string{"http://localhost:8080@evil.example"}, nil, nil, 403, 403},
		{"userinfo with a password", "localhost:8080", []string{"http://user:password@localhost:8080"}, nil, nil, 403, 403},
		{"userinfo, encoded", "localhost:8080", []string{"http://localhost:8080%40evil.example"}, nil, nil, 403, 403},
		{"userinfo of an allowed page", box, []string{"http://page.example@evil.example"}, []string{"page.example"}, nil, 403, 403},
		{"userinfo for an allowed page", box, []string{"http://evil.example@page.example"}, []string{"page.example"}, nil, 403, 403},
		{"an allowed page in the query", box, []string{"http://evil.example?page.example"}, []string{"page.example"}, nil, 403, 403},
		{"an allowed page in the fragment", box, []string{"http://evil.example#page.example"}, []string{"page.example"}, nil, 403, 403},
		{"an allowed page behind a NUL", box, []string{"http://evil.example\x00page.example"}, []string{"page.example"}, nil, 403, 403},
		{"two dots", "localhost:8080", []string{"http://localhost..:8080"}, nil, nil, 403, 403},
		{"a leading dot", box, []string{"http://.page.example"}, []string{"page.example"}, nil, 403, 403},
		{"a number for an address", "localhost:8080", []string{"http://2130706433:8080"}, nil, nil, 403, 403},
		{"brackets around a name", "localhost:8080", []string{"http://[localhost]:8080"}, nil, nil, 403, 403},
		{"an address that ends like loopback", "[::1]:8080", []string{"http://[2001:db8::1]:8080"}, nil, nil, 403, 403},
		{"IPv6 without brackets", "[::1]:8080", []string{"http://::1:8080"}, nil, nil, 403, 403},
		{"a star", "localhost:8080", []string{"*"}, nil, nil, 403, 403},
		{"a star for a host", "localhost:8080", []string{"http://*"}, []string{"page.example"}, nil, 403, 403},

		// Rules.
		{"host", box, []string{"http://page.example"}, []string{"page.example"}, nil, 101, 101},
		{"host, any scheme", box, []string{"https://page.example"}, []string{"page.example"}, nil, 101, 101},
		{"host, any port", box, []string{"http://page.example:1"}, []string{"page.example"}, nil, 101, 101},
		{"host in upper case", box, []string{"http://page.example"}, []string{"PAGE.Example"}, nil, 101, 101},
		{"a dotted page", box, []string{"http://page.example."}, []string{"page.example"}, nil, 101, 101},
		{"not a host below", box, []string{"http://a.page.example"}, []string{"page.example"}, nil, 403, 403},
		{"not a host beside", box, []string{"http://webpage.example"}, []string{"page.example"}, nil, 403, 403},
		{"scheme", box, []string{"https://page.example"}, []string{"https://page.example"}, nil, 101, 101},
		{"scheme, any port", box, []string{"https://page.example:8443"}, []string{"https://page.example"}, nil, 101, 101},
		{"scheme in upper case", box, []string{"https://page.example"}, []string{"HTTPS://page.example"}, nil, 101, 101},
		{"another scheme", box, []string{"http://page.example"}, []string{"https://page.example"}, nil, 403, 403},
		{"port", box, []string{"http://page.example:81"}, []string{"page.example:81"}, nil, 101, 101},
		{"another port than the rule's", box, []string{"http://page.example:82"}, []string{"page.example:81"}, nil, 403, 403},
		{"port, default of http", box, []string{"http://page.example"}, []string{"page.example:80"}, nil, 101, 101},
		{"port, default of https", box, []string{"https://page.example"}, []string{"page.example:443"}, nil, 101, 101},
		{"port, default of the other", box, []string{"https://page.example"}, []string{"page.example:80"}, nil, 403, 403},
		{"scheme and port", box, []string{"https://page.example:444"}, []string{"https://page.example:444"}, nil, 101, 101},
		{"scheme and port, other scheme", box, []string{"http://page.example:444"}, []string{"https://page.example:444"}, nil, 403, 403},
		{"IPv6 rule", box, []string{"http://[2001:db8::1]:81"}, []string{"[2001:db8:0:0::1]:81"}, nil, 101, 101},
		{"the second rule", box, []string{"http://page.example"}, []string{"first.example", "page.example"}, nil, 101, 101},
		{"every page", box, []string{"http://page.example"}, []string{"*"}, nil, 101, 101},
		{"everything", box, []string{"not a page"}, []string{"page.example", "*"}, nil, 101, 101},
		{"everything, but several", box, []string{"http://page.example", "null"}, []string{"*"}, nil, 400, 400},
		{"an extension", box, []string{"chrome-extension://abcdef"}, []string{"chrome-extension://abcdef"}, nil, 101, 101},
		{"an extension, other scheme", box, []string{"http://abcdef"}, []string{"chrome-extension://abcdef"}, nil, 403, 403},
		{"localhost by a rule", "localhost:8080", []string{"http://localhost:3000"}, []string{"localhost:3000"}, nil, 101, 101},
		{"own, with rules for others", box, []string{"http://box.example"}, []string{"page.example"}, nil, 101, 101},
	} {
		r := upgradeRequest(append(slices.Clone(test.edits), withHost(test.host))...)
		if test.origin != nil {
			r.Header["Origin"] = test.origin
		}
		h := &Handler{Gate: &Gate{Hosts: []string{box}, Origins: mustParseOrigins(t, test.rules...)}}
		if got := statusOf(check(h, r)); got != test.status {
			t.Errorf("%s: Host: %s, Origin: %s, rules %s: %d, want %d", test.name, test.host, test.origin, test.rules, got, test.status)
		}
		h.Gate.SameOrigin = true
		if got := statusOf(check(h, r)); got != test.same {
			t.Errorf("%s, SameOrigin: Host: %s, Origin: %s, rules %s: %d, want %d", test.name, test.host, test.origin, test.rules, got, test.same)
		}
	}
}

// The zero Origin, of a slice that was made too long, lets nobody in.
func TestZeroOrigin(t *testing.T) {
	h := &Handler{Gate: &Gate{Hosts: []string{"box.example"}, Origins: make([]Origin, 2)}}
	for _, origin := range []string{"http://page.example", "null", "", "http://", "://"} {
		if got := statusOf(check(h, upgradeRequest(withHost("box.example"), withHeader("Origin", origin)))); got != 403 {
			t.Errorf("Origin: %s: %d", origin, got)
		}
	}
	if got := statusOf(check(h, upgradeRequest(withHost("evil.example")))); got != 403 {
		t.Errorf("an unknown host: %d", got)
	}
}

func TestParseOrigin(t *testing.T) {
	for s, want := range map[string]Origin{
		"*":                         {host: "*"},
		"null":                      {host: "null"},
		"Null":                      {host: "null"},
		"file://":                   {host: "null"},
		"http://null":               {"http", "null", ""},
		" null ":                    {host: "null"},
		"page.example":              {"", "page.example", ""},
		" page.example\t":           {"", "page.example", ""},
		"Page.EXAMPLE.":             {"", "page.example", ""},
		"page.example:81":           {"", "page.example", "81"},
		"page.example:081":          {"", "page.example", "81"},
		"https://page.example":      {"https", "page.example", ""},
		"HTTPS://page.example:444":  {"https", "page.example", "444"},
		"localhost":                 {"", "localhost", ""},
		"127.0.0.1:3000":            {"", "127.0.0.1", "3000"},
		"::1":                       {"", "::1", ""},
		"[::1]":                     {"", "::1", ""},
		"[::1]:3000":                {"", "::1", "3000"},
		"http://[2001:DB8:0::1]:80": {"http", "2001:db8::1", "80"},
		"chrome-extension://abcdef": {"chrome-extension", "abcdef", ""},
		"my_host":                   {"", "my_host", ""},
	} {
		if got, err := ParseOrigin(s); err != nil || got != want {
			t.Errorf("ParseOrigin(%q) = %q, %v, want %q", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", " ", ".", "page.example..", ".page.example", "://page.example", "https://", "https://:443", ":443", "//page.example", "https:page.example",
		"page.example:", "page.example:https", "page.example:65536", "page.example:-1", "page.example:80:80",
		"https://page.example/", "page.example/path", "page.example?q", "page.example#f", "user@page.example",
		"*.page.example", "https://*", "*:443", "a.example,b.example", "a.example b.example",
		"[::1", "::1]", "[]", "[localhost]", "bücher.example", "boo\u212a.example", "a b://page.example", "http://page$.example", "http://http://page.example", `"page.example"`,
	} {
		o, err := ParseOrigin(s)
		if err == nil {
			t.Errorf("ParseOrigin(%q) = %q, want an error", s, o)
		} else if s != "" && !strings.Contains(err.Error(), strings.TrimSpace(s)) && !strings.Contains(err.Error(), `\"`) {
			t.Errorf("the error for %q does not say what it is about: %v", s, err)
		}
		if o != (Origin{}) {
			t.Errorf("ParseOrigin(%q) = %q beside its error", s, o)
		}
	}
}

// A refusal names what would have to be allowed, and that does.
func TestRefusalNamesItsSubject(t *testing.T) {
	for _, test := range []struct{ host, origin, subject string }{
		{"evil.example:8080", "", "evil.example"},
		{"EVIL.example.", "", "evil.example"},
		{"localhost:8080", "http://page.example", "http://page.example"},
		{"localhost:8080", "https://page.example:444", "https://page.example:444"},
		{"localhost:8080", "http://[2001:db8::1]:81", "http://[2001:db8::1]:81"},
		{"localhost:8080", "HTTP://[2001:DB8:0::1%25$(reboot)]", "http://[2001:db8::1]"},
		{"localhost:8080", "file://", "null"},
		{"localhost:8080", "null", "null"},
	} {
		h := &Handler{}
		log := record(t, h)
		r := upgradeRequest(withHost(test.host))
		rule := RuleHost
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
			rule = RuleOrigin
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if !log.has(an(func(e Refused) bool {
			return e.Refusal.Rule == rule && e.Refusal.Subject == test.subject && e.Refusal.Detail == strconv.Quote(test.subject)
		})) {
			t.Errorf("Host: %s, Origin: %s: no refusal of %s:\n%s", test.host, test.origin, test.subject, log)
		}
		h = &Handler{Gate: &Gate{Origins: mustParseOrigins(t, test.subject)}}
		if err := check(h, r); err != nil {
			t.Errorf("the rule %s does not allow it: %v", test.subject, err)
		}
	}
}

// Where nothing would help, nothing is named.
func TestRefusalOfMalformedOrigin(t *testing.T) {
	for _, origin := range []string{"", "*", "http://page.example/path", "page.example", "http://$(reboot).example"} {
		h := &Handler{}
		log := record(t, h)
		h.ServeHTTP(httptest.NewRecorder(), upgradeRequest(withHeader("Origin", origin)))
		if !log.has(an(func(e Refused) bool { return e.Refusal.Rule == RuleOrigin && e.Refusal.Subject == "" })) ||
			!strings.Contains(log.String(), "malformed") {
			t.Errorf("Origin: %s: %s", origin, log)
		}
	}
}

func FuzzParseOrigin(f *testing.F) {
	for _, s := range []string{"*", "null", "page.example", "https://page.example:444", "[::1]:80", "::1", "a:b:c", "http://[fe80::1%25eth0]", "://", "é", "a.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseOrigin(s)
		if err != nil {
			return
		}
		const canonical = "abcdefghijklmnopqrstuvwxyz0123456789.-_"
		if o != anyPage && (o.host == "" || !consistsOf(o.host, canonical+":") || !consistsOf(o.scheme, canonical+"+") || !consistsOf(o.port, "0123456789")) {
			t.Errorf("ParseOrigin(%q) = %q", s, o)
		}
		if again, err := ParseOrigin(o.String()); err != nil || again != o {
			t.Errorf("ParseOrigin(%q) is %s, which is read as %s, %v", s, o, again, err)
		}
	})
}

// No request makes the checks panic, and none with an Origin passes those of
// a server that has no rules, but from a page of the same or a loopback host.
func FuzzCheckOrigin(f *testing.F) {
	for _, host := range []string{"localhost:8080", "[::1]:8080", "192.168.1.5", "a]b[", "::1:1", "", "127.0.0.1:", "[::1]:", "::1:", ":"} {
		for _, origin := range []string{"", "null", "http://localhost:3000", "https://192.168.1.5", "http://[::1]:8080", "//x", "a://b:c@d", "http://%zz", "::::"} {
			f.Add(host, origin, true)
			f.Add(host, origin, false)
		}
	}
	f.Fuzz(func(t *testing.T, host, origin string, same bool) {
		h := &Handler{Gate: &Gate{SameOrigin: same}}
		r := upgradeRequest(withHost(host), withHeader("Origin", origin))
		if check(h, r) != nil {
			return
		}
		name, _, err := splitHost(requestHost(r))
		if err != nil {
			t.Fatalf("Host: %q was let in: %v", host, err)
		}
		page, err := parsePage(origin)
		if err != nil || page.host != name && (same || !isLoopback(name) || !isLoopback(page.host)) {
			t.Errorf("Host: %q, Origin: %q was let in", host, origin)
		}
	})
}
