package client

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

func TestScript(t *testing.T) {
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	unchecked := func(h http.Handler) http.Handler { return h }
	h := Handler(unchecked, teapot)
	for _, test := range []struct {
		method, path string
		header       []string
		status       int
		body         string
	}{
		{"GET", Script, nil, 200, source},
		{"GET", Script + "?a=1", nil, 200, source},
		{"GET", "/sub/dir" + Script, nil, 200, source},
		{"HEAD", Script, nil, 200, ""},
		{"GET", Script, []string{"If-None-Match", etag}, 304, ""},
		{"GET", Script, []string{"If-None-Match", `"other"`}, 200, source},
		{"POST", Script, nil, 405, "Method Not Allowed\n"},
		{"GET", "/.wsbridge/", nil, 418, ""},
		{"GET", "/client.js", nil, 418, ""},
		{"GET", "/x.wsbridge/client.js", nil, 418, ""},
		{"GET", Script + "/", nil, 418, ""},
	} {
		w := sitetest.Ask(h, test.method, test.path, test.header...)
		if w.Code != test.status || w.Body.String() != test.body {
			t.Errorf("%s %s %q: %d %.100q", test.method, test.path, test.header, w.Code, w.Body)
		}
		header := w.Header()
		if w.Code == 200 && (header.Get("Content-Type") != "text/javascript; charset=utf-8" || header.Get("Etag") != etag ||
			header.Get("Cache-Control") != "no-cache" || header.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s %s: %q", test.method, test.path, header)
		}
	}
	refused := Handler(func(http.Handler) http.Handler { return http.NotFoundHandler() }, teapot)
	if w := sitetest.Ask(refused, "GET", Script); w.Code != 404 {
		t.Errorf("a request that does not pass the check: %d", w.Code)
	}
}

// The module is to be read, and runs under the strictest policy of a page.
func TestSource(t *testing.T) {
	if n := strings.Count(source, "\n"); n >= 200 {
		t.Errorf("it has %d lines, want under 200", n)
	}
	for line := range strings.Lines(source) {
		if len(line) > 131 || strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
			t.Errorf("a line to read: %d bytes, ASCII: %q", len(line), line)
		}
	}
	for what, pattern := range map[string]string{
		"a dependency":    `(?m)^\s*import\b|import\(`,
		"an evaluation":   `\beval\(|new Function|setTimeout\('`,
		"a style":         `\.style\b|cssText`,
		"a way to markup": `innerHTML|document\.`,
		"another host":    `https?://`,
	} {
		if found := regexp.MustCompile(pattern).FindString(source); found != "" {
			t.Errorf("the module has %s: %q", what, found)
		}
	}
}
