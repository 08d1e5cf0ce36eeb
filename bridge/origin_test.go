package bridge

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

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
		{"an application", box, []string{"app://."}, []string{"app://."}, nil, 101, 101},
		{"an application, other scheme", box, []string{"app://."}, []string{"other://."}, nil, 403, 403},
		{"an application, other host", box, []string{"app://page.example"}, []string{"app://."}, nil, 403, 403},
		{"an application to a host of dots", ".", []string{"app://."}, []string{"app://."}, nil, 400, 400},
		{"a slash behind the rule", box, []string{"https://page.example"}, []string{"https://page.example/"}, nil, 101, 101},
		{"below", box, []string{"https://a.page.example"}, []string{"*.page.example"}, nil, 101, 101},
		{"far below", box, []string{"https://a.b.page.example:81"}, []string{"*.page.example"}, nil, 101, 101},
		{"below, with scheme and port", box, []string{"https://a.page.example:81"}, []string{"https://*.page.example:81"}, nil, 101, 101},
		{"below, another port", box, []string{"https://a.page.example:82"}, []string{"https://*.page.example:81"}, nil, 403, 403},
		{"below, another scheme", box, []string{"http://a.page.example"}, []string{"https://*.page.example"}, nil, 403, 403},
		{"not below", box, []string{"https://page.example"}, []string{"*.page.example"}, nil, 403, 403},
		{"beside", box, []string{"https://webpage.example"}, []string{"*.page.example"}, nil, 403, 403},
		{"below a stranger", box, []string{"https://a.page.example.evil.example"}, []string{"*.page.example"}, nil, 403, 403},
		{"a star below", box, []string{"https://*.page.example"}, []string{"*.page.example"}, nil, 403, 403},
		{"null is not below", box, []string{"null"}, []string{"*.page.example"}, nil, 403, 403},
		{"a host below", "a.page.example", nil, []string{"*.page.example"}, nil, 101, 101},
		{"a host above", "page.example", nil, []string{"*.page.example"}, nil, 403, 403},
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
		"https://page.example/":     {"https", "page.example", ""},
		"page.example:81/":          {"", "page.example", "81"},
		"*.Page.example":            {"", "*.page.example", ""},
		"https://*.page.example:81": {"https", "*.page.example", "81"},
		"*.localhost":               {"", "*.localhost", ""},
		"app://.":                   {"app", ".", ""},
		"App://./":                  {"app", ".", ""},
		"tauri://localhost":         {"tauri", "localhost", ""},
	} {
		if got, err := ParseOrigin(s); err != nil || got != want {
			t.Errorf("ParseOrigin(%q) = %q, %v, want %q", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", " ", ".", "page.example..", ".page.example", "://page.example", "https://", "https://:443", ":443", "//page.example", "https:page.example",
		"page.example:", "page.example:https", "page.example:65536", "page.example:-1", "page.example:80:80",
		"page.example//", "page.example/path", "page.example?q", "page.example#f", "user@page.example",
		"*.", "*page.example", "a.*.example", "*.*.example", "*.1", "*.10.0.0.1", "*.[::1]", "*.::1", "*.null:x", "*/", "https://*", "*:443",
		"http://.", ".:80", "ws://.", "app://.:80", "app://..", "a.example,b.example", "a.example b.example",
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
