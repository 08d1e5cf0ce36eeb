package bridge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

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
