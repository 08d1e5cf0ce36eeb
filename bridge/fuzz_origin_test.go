package bridge

import (
	"strings"
	"testing"
)

func FuzzParseOrigin(f *testing.F) {
	for _, s := range []string{"*", "null", "page.example", "https://page.example:444", "[::1]:80", "::1", "a:b:c", "http://[fe80::1%25eth0]", "://", "é", "a..", "*.page.example:1", "https://page.example/", "app://."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseOrigin(s)
		if err != nil {
			return
		}
		const canonical = "abcdefghijklmnopqrstuvwxyz0123456789.-_"
		host := strings.TrimPrefix(o.host, "*.")
		if o != anyPage && (host == "" || !consistsOf(host, canonical+":") || !consistsOf(o.scheme, canonical+"+") || !consistsOf(o.port, "0123456789")) {
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
