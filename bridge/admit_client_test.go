package bridge

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// proxies are the trusted ones of the tests: a machine, a network of machines
// and a range of IPv6, each with an address that is none of them beside it.
var proxies = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.1/32"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("2001:db8:ffff::/48"),
}

// throughProxy is a request that the proxy at addr passes on.
func throughProxy(addr string, header http.Header) *http.Request {
	r := upgradeRequest()
	r.RemoteAddr = addr
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	return r
}

func xff(lines ...string) http.Header       { return http.Header{"X-Forwarded-For": lines} }
func forwarded(lines ...string) http.Header { return http.Header{"Forwarded": lines} }
func both(xff, forwarded string) http.Header {
	return http.Header{"X-Forwarded-For": {xff}, "Forwarded": {forwarded}}
}

func TestForwarded(t *testing.T) {
	const proxy = "10.1.2.3:4711"
	for _, test := range []struct {
		name   string
		peer   string
		header http.Header
		want   string
	}{
		{"no header", proxy, nil, proxy},
		{"not from a proxy", "192.0.2.9:80", xff("192.0.2.1"), "192.0.2.9:80"},
		{"not from a proxy, Forwarded", "192.0.2.9:80", forwarded("for=192.0.2.1"), "192.0.2.9:80"},
		{"beside the range", "11.0.0.0:80", xff("192.0.2.1"), "11.0.0.0:80"},
		{"beside the machine", "127.0.0.2:80", xff("192.0.2.1"), "127.0.0.2:80"},

		// The forms of an address.
		{"IPv4", proxy, xff("192.0.2.1"), "192.0.2.1"},
		{"IPv4 and port", proxy, xff("192.0.2.1:80"), "192.0.2.1:80"},
		{"IPv6", proxy, xff("2001:db8::1"), "2001:db8::1"},
		{"IPv6 in upper case", proxy, xff("2001:DB8:0::1"), "2001:db8::1"},
		{"IPv6 in brackets", proxy, xff("[2001:db8::1]"), "2001:db8::1"},
		{"IPv6 and port", proxy, xff("[2001:db8::1]:80"), "[2001:db8::1]:80"},
		{"IPv4 in IPv6", proxy, xff("::ffff:192.0.2.1"), "192.0.2.1"},
		{"a zone", proxy, xff("fe80::1%eth0"), "fe80::1"},
		{"spaces", proxy, xff(" \t192.0.2.1\t "), "192.0.2.1"},
		{"port 0", proxy, xff("192.0.2.1:0"), "192.0.2.1"},
		{"no port after a colon", proxy, xff("192.0.2.1:"), "192.0.2.1"},
		{"a port with zeros", proxy, xff("192.0.2.1:0080"), "192.0.2.1:80"},

		// The forms of the proxy's own.
		{"an IPv6 proxy", "[2001:db8:ffff::1]:80", xff("192.0.2.1"), "192.0.2.1"},
		{"an IPv4 proxy at an IPv6 socket", "[::ffff:10.0.0.1]:80", xff("192.0.2.1"), "192.0.2.1"},
		{"a proxy that a handler has named", "10.0.0.1", xff("192.0.2.1"), "192.0.2.1"},

		// The way.
		{"what the client wrote", proxy, xff("198.51.100.1, 192.0.2.1"), "192.0.2.1"},
		{"what the client wrote, in a line of its own", proxy, xff("198.51.100.1", "192.0.2.1"), "192.0.2.1"},
		{"several proxies", proxy, xff("198.51.100.1, 192.0.2.1, 10.0.0.7,10.0.0.8"), "192.0.2.1"},
		{"several proxies, several lines", proxy, xff("198.51.100.1", "192.0.2.1, 10.0.0.7", "10.0.0.8"), "192.0.2.1"},
		{"the client pretends to be a proxy", proxy, xff("198.51.100.1, 10.0.0.7, 192.0.2.1"), "192.0.2.1"},
		{"the client pretends to be this machine", proxy, xff("127.0.0.1, 192.0.2.1"), "192.0.2.1"},
		{"a client among the proxies", proxy, xff("10.0.0.7"), "10.0.0.7"},
		{"a client among the proxies, behind one", proxy, xff("10.0.0.7, 10.0.0.8"), "10.0.0.7"},
		{"an IPv6 proxy on the way", proxy, xff("192.0.2.1, 2001:db8:ffff::2"), "192.0.2.1"},
		{"junk from the client", proxy, xff("', <script>, , 192.0.2.1"), "192.0.2.1"},
		{"an empty line from the client", proxy, xff("", "192.0.2.1"), "192.0.2.1"},

		// What is no address.
		{"empty", proxy, xff(""), proxy},
		{"a comma", proxy, xff(","), proxy},
		{"a comma at the end", proxy, xff("192.0.2.1,"), proxy},
		{"an empty line at the end", proxy, xff("192.0.2.1", ""), proxy},
		{"unknown", proxy, xff("unknown"), proxy},
		{"a name", proxy, xff("localhost"), proxy},
		{"half an address", proxy, xff("192.0.2"), proxy},
		{"too large", proxy, xff("192.0.2.256"), proxy},
		{"zeros", proxy, xff("192.0.2.01"), proxy},
		{"a number", proxy, xff("3221225985"), proxy},
		{"a range", proxy, xff("192.0.2.0/24"), proxy},
		{"two with a space", proxy, xff("192.0.2.1 192.0.2.2"), proxy},
		{"quoted", proxy, xff(`"192.0.2.1"`), proxy},
		{"a bad port", proxy, xff("192.0.2.1:http"), proxy},
		{"a port too large", proxy, xff("192.0.2.1:65536"), proxy},
		{"a negative port", proxy, xff("192.0.2.1:-1"), proxy},
		{"half a bracket", proxy, xff("[2001:db8::1"), proxy},
		{"after the bracket", proxy, xff("[2001:db8::1]x"), proxy},
		{"nowhere", proxy, xff("0.0.0.0"), proxy},
		{"nowhere in IPv6", proxy, xff("::"), proxy},
		{"a unix socket", proxy, xff("unix:"), proxy},
		{"junk behind a proxy", proxy, xff("junk, 10.0.0.8"), proxy},

		// Forwarded.
		{"for", proxy, forwarded("for=192.0.2.1"), "192.0.2.1"},
		{"For", proxy, forwarded("For=192.0.2.1"), "192.0.2.1"},
		{"for, quoted", proxy, forwarded(`for="192.0.2.1"`), "192.0.2.1"},
		{"for and port", proxy, forwarded(`for="192.0.2.1:80"`), "192.0.2.1:80"},
		{"for and port, not quoted", proxy, forwarded(`for=192.0.2.1:80`), "192.0.2.1:80"},
		{"for IPv6", proxy, forwarded(`for="[2001:db8::1]"`), "2001:db8::1"},
		{"for IPv6 and port", proxy, forwarded(`for="[2001:db8::1]:80"`), "[2001:db8::1]:80"},
		{"for and a hidden port", proxy, forwarded(`for="192.0.2.1:_http"`), "192.0.2.1"},
		{"with the others", proxy, forwarded(`by=203.0.113.43;for=192.0.2.1;proto=http;host="a,b;c"`), "192.0.2.1"},
		{"with spaces", proxy, forwarded("proto=http ; for=192.0.2.1 , for=10.0.0.7"), "192.0.2.1"},
		{"with an escape elsewhere", proxy, forwarded(`host="a\"b";for=192.0.2.1`), "192.0.2.1"},
		{"several", proxy, forwarded("for=198.51.100.1, for=192.0.2.1, for=10.0.0.7"), "192.0.2.1"},
		{"several lines", proxy, forwarded("for=198.51.100.1", "for=192.0.2.1", "for=10.0.0.7"), "192.0.2.1"},
		{"junk in the client's line", proxy, forwarded(`for="`, "for=192.0.2.1"), "192.0.2.1"},
		{"hidden by the client", proxy, forwarded("for=_hidden, for=192.0.2.1"), "192.0.2.1"},
		{"unknown to the client's proxy", proxy, forwarded("for=unknown, for=192.0.2.1"), "192.0.2.1"},

		{"for unknown", proxy, forwarded("for=unknown"), proxy},
		{"for somebody hidden", proxy, forwarded("for=_hidden"), proxy},
		{"for somebody hidden, by a proxy", proxy, forwarded("for=192.0.2.1, for=_hidden, for=10.0.0.7"), proxy},
		{"for nobody", proxy, forwarded("for=192.0.2.1, proto=http"), proxy},
		{"for two", proxy, forwarded("for=192.0.2.1;for=192.0.2.2"), proxy},
		{"Forwarded, empty", proxy, forwarded(""), proxy},
		{"no value", proxy, forwarded("for="), proxy},
		{"an empty value", proxy, forwarded(`for=""`), proxy},
		{"no name", proxy, forwarded("=192.0.2.1"), proxy},
		{"no pair", proxy, forwarded("192.0.2.1"), proxy},
		{"spaces around the sign", proxy, forwarded("for = 192.0.2.1"), proxy},
		{"an open quote", proxy, forwarded(`for="192.0.2.1`), proxy},
		{"an open escape", proxy, forwarded(`for="192.0.2.1\"`), proxy},
		{"a quote inside", proxy, forwarded(`for=192.0.2.1"`), proxy},
		{"after a quote", proxy, forwarded(`for="192.0.2.1"x`), proxy},
		{"a quote that takes in the proxy's", proxy, forwarded(`x=", for=192.0.2.1`), proxy},
		{"and gives out the client's", proxy, forwarded(`for=198.51.100.1;x=", for=192.0.2.1;by="x"`), proxy},
		{"a semicolon at the end", proxy, forwarded("for=192.0.2.1;"), proxy},
		{"Forwarded, a comma at the end", proxy, forwarded("for=192.0.2.1,"), proxy},

		// Both.
		{"both", proxy, both("192.0.2.1", "for=192.0.2.1"), "192.0.2.1"},
		{"both, in other words", proxy, both("2001:db8::1", `for="[2001:DB8::1]";proto=https`), "2001:db8::1"},
		{"both, by other ways", proxy, both("192.0.2.1, 10.0.0.7", "for=198.51.100.1, for=192.0.2.1"), "192.0.2.1"},
		{"Forwarded by the client", proxy, both("192.0.2.1", "for=198.51.100.1"), proxy},
		{"X-Forwarded-For by the client", proxy, both("198.51.100.1", "for=192.0.2.1"), proxy},
		{"one of them malformed", proxy, both("192.0.2.1", "junk"), proxy},
		{"both malformed", proxy, both("junk", "junk"), proxy},
	} {
		h := &Handler{Gate: &Gate{TrustedProxies: proxies}}
		r := throughProxy(test.peer, test.header)
		if got := remoteOf(h, r); got != test.want {
			t.Errorf("%s: from %s with %v: %s, want %s", test.name, test.peer, test.header, got, test.want)
		}
		if r.RemoteAddr != test.peer {
			t.Errorf("%s: the server's own request was changed", test.name)
		}
		if got := remoteOf(new(Handler), r); got != test.peer {
			t.Errorf("%s: without trusted proxies: %s", test.name, got)
		}
	}
}

// remoteOf is the RemoteAddr that a request has behind the door, where it is
// the same again when the request comes to another one, as CGI's do.
func remoteOf(h *Handler, r *http.Request) string {
	a := h.admission(r)
	if again := h.admission(a.request); again.client.addr != a.client.addr || again.client.host != a.client.host ||
		again.client.port != a.client.port || again.request.RemoteAddr != a.request.RemoteAddr {
		panic(fmt.Sprintf("%v the second time, and %v before", again.client, a.client))
	}
	return a.request.RemoteAddr
}

// A proxy at a unix socket is on this machine.
func TestForwardedByUnixSocket(t *testing.T) {
	local := &net.UnixAddr{Net: "unix", Name: "/run/wsbridge"}
	for _, test := range []struct {
		trusted, header string
		addr, port      string
	}{
		{"127.0.0.1/32", "192.0.2.1:80", "192.0.2.1", "80"},
		{"127.0.0.0/8", "2001:db8::1", "2001:db8::1", ""},
		{"127.0.0.1/32", "junk", "unix-socket", ""},
		{"10.0.0.0/8", "192.0.2.1", "unix-socket", ""},
	} {
		h := &Handler{Gate: &Gate{TrustedProxies: []netip.Prefix{netip.MustParsePrefix(test.trusted)}}}
		r := throughProxy("@", xff(test.header))
		r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, local))
		vars := variables(t, environOf(h, r, "ID"))
		if vars["REMOTE_ADDR"] != test.addr || vars["REMOTE_HOST"] != test.addr || vars["REMOTE_PORT"] != test.port {
			t.Errorf("%s trusted, %s: REMOTE_ADDR=%s REMOTE_HOST=%s REMOTE_PORT=%s",
				test.trusted, test.header, vars["REMOTE_ADDR"], vars["REMOTE_HOST"], vars["REMOTE_PORT"])
		}
	}
}

// The client's address is that of the environment, of the log and of Plain.
func TestForwardedEverywhere(t *testing.T) {
	var plain string
	h := &Handler{
		Gate:  &Gate{TrustedProxies: proxies},
		Plain: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { plain = r.RemoteAddr }),
	}
	log := record(t, h)
	r := throughProxy("10.0.0.1:80", forwarded(`for="192.0.2.1:4711"`))
	vars := variables(t, environOf(h, r, "ID"))
	if vars["REMOTE_ADDR"] != "192.0.2.1" || vars["REMOTE_HOST"] != "192.0.2.1" || vars["REMOTE_PORT"] != "4711" {
		t.Errorf("REMOTE_ADDR=%s REMOTE_HOST=%s REMOTE_PORT=%s", vars["REMOTE_ADDR"], vars["REMOTE_HOST"], vars["REMOTE_PORT"])
	}
	r.Host = "evil.example"
	h.ServeHTTP(httptest.NewRecorder(), r)
	if !log.has(an(func(e Refused) bool { return e.Remote == "192.0.2.1:4711" })) {
		t.Error(log)
	}
	r.Host = "localhost"
	r.Header.Del("Upgrade")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if plain != "192.0.2.1:4711" {
		t.Errorf("to Plain the request is from %s", plain)
	}
}

// Whatever a client writes, it is never taken for somebody else.
func FuzzForwarded(f *testing.F) {
	for _, s := range []string{
		"", ",", "192.0.2.1", "[2001:db8::1]:80", "::1%\x00", "for=192.0.2.1", `for="[::1]:80";by=_x`, `x="`, `x="\`, `a="b",`, `for=1.2.3.4;x=", for=1`,
		"10.0.0.1", "for=10.0.0.1", "for=127.0.0.1,", ";;", "=", "::ffff:1.2.3.4:5",
	} {
		f.Add(s, s)
	}
	h := &Handler{Gate: &Gate{TrustedProxies: proxies}}
	const proxy = "10.1.2.3:4711"
	f.Fuzz(func(t *testing.T, a, b string) {
		from := func(header http.Header) string {
			return remoteOf(h, &http.Request{RemoteAddr: proxy, Header: header})
		}
		check := func(header http.Header, want ...string) {
			t.Helper()
			got := from(header)
			for _, w := range want {
				if got == w {
					return
				}
			}
			t.Errorf("%q: from %s, want %q", header, got, want)
		}
		// A proxy adds to what the client wrote in the header, or adds a line.
		check(xff(a, b+", 192.0.2.9"), "192.0.2.9")
		check(xff(a, b, "192.0.2.9"), "192.0.2.9")
		check(forwarded(a, b, "for=192.0.2.9"), "192.0.2.9")
		for _, added := range []string{"for=192.0.2.9", `for="192.0.2.9"`, `for=192.0.2.9;host="x";by="[::1]:80"`} {
			check(forwarded(a, b+", "+added), "192.0.2.9", proxy)
			check(http.Header{"X-Forwarded-For": {a}, "Forwarded": {b, added}}, "192.0.2.9", proxy)
		}
		check(http.Header{"X-Forwarded-For": {a, "192.0.2.9"}, "Forwarded": {b}}, "192.0.2.9", proxy)

		// What is found is an address, and nothing that could do harm.
		got := from(both(a, b))
		if got != from(both(a, b)) || strings.ContainsFunc(got, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef.:[]", r) }) {
			t.Errorf("%q, %q: from %q", a, b, got)
		}
	})
}
