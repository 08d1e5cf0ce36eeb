package bridge

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// What somebody probably meant who wrote a rule that cannot be read.
func TestOriginMistakes(t *testing.T) {
	for rule, want := range map[string]string{
		"https://page.example/app":    "it has no path",
		"page.example/a/":             "it has no path",
		"https://page.example?x":      "it has no path",
		"https://me@page.example":     "an origin has no user",
		"https://b\u00fccher.example": "location.origin",
		"b\u00fccher.example":         "xn--",
		"*page.example":               "*.example.com",
		"https://*":                   "*.example.com",
		"*.10.0.0.1":                  "*.example.com",
		"page.example:http":           "bad port",
		"page.example:65536":          "bad port",
		"://page.example":             "no scheme before ://",
		"a b://page.example":          "no scheme before ://",
		"page example":                "bad host",
		"https://":                    "bad host",
	} {
		_, err := ParseOrigin(rule)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "[scheme://]host[:port]") {
			t.Errorf("%s: %v, want %q", rule, err, want)
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
		{"localhost:8080", "APP://.", "app://."},
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
