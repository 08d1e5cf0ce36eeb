package console

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

const mostBytes = 61_000

func ask(o Options, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	New(o, nil).ServeHTTP(w, r)
	return w
}

// The page is whole in itself, and its policy lets in exactly what is in it.
func TestPage(t *testing.T) {
	w := ask(Options{}, httptest.NewRequest("GET", "/", nil))
	page, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if len(page) > mostBytes {
		t.Errorf("the page has %d bytes", len(page))
	}
	// What looks like a tag in the script is none.
	markup := regexp.MustCompile(`(?s)(<script[^>]*>).*?</script>`).ReplaceAllString(page, "$1")
	if found := regexp.MustCompile(`<[^>]*\s(on[a-z]+|style)=`).FindString(markup); found != "" {
		t.Errorf("the page has an inline handler or style: %q", found)
	}
	for what, pattern := range map[string]string{
		"a file to load":      `<link rel="stylesheet|\ssrc=|@import|url\(|\bimport[ ("'{*]|^export `,
		"a way to markup":     `innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc`,
		"a way to evaluation": `\beval\(|new Function`,
		"another host":        `https?://(www\.w3\.org/2000/svg)?`,
	} {
		for _, found := range regexp.MustCompile(`(?m)`+pattern).FindAllString(page, -1) {
			if found != "http://www.w3.org/2000/svg" {
				t.Errorf("the page has %s: %q", what, found)
			}
		}
	}
	for _, test := range []struct{ element, directive string }{{"style", "style-src"}, {"script", "script-src"}} {
		inside := regexp.MustCompile(`(?s)<`+test.element+`[^>]*>(.*?)</`+test.element+`>`).FindAllStringSubmatch(page, -1)
		if len(inside) != 1 {
			t.Fatalf("%d elements %s", len(inside), test.element)
		}
		sum := sha256.Sum256([]byte(inside[0][1]))
		if want := test.directive + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"; !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("the policy is %s", policy)
	}
}

// No part of a request comes back, whatever it is: with websocketd a path
// such as the first below ran as a script.
func TestReflectsNothing(t *testing.T) {
	plain := ask(Options{}, httptest.NewRequest("GET", "/", nil))
	const mark = "xss7271"
	for _, target := range []string{
		`/%22%3E%3Cscript%3Exss7271()%3C/script%3E`,
		`/"><script>xss7271()</script>`,
		`/'-xss7271()-'`,
		`/?name="><img src=x onerror=xss7271()>`,
		`/?</script><script>xss7271()</script>`,
		`/xss7271/data-framing="lines"`,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		path, query, _ := strings.Cut(target, "?")
		r.URL.Path, r.URL.RawQuery, r.RequestURI = path, query, target
		r.Host = mark + `"><script>alert(1)</script>`
		for _, name := range []string{"User-Agent", "Referer", "Origin", "Cookie", "X-Forwarded-Host", "X-Forwarded-Proto", "Accept-Language"} {
			r.Header.Set(name, `"><script>`+mark+`()</script>`)
		}
		w := ask(Options{}, r)
		if w.Body.String() != plain.Body.String() {
			t.Errorf("%s has a page of its own", target)
		}
		for name, values := range w.Header() {
			if got := strings.Join(values, ""); strings.Contains(got, mark) || got != plain.Header().Get(name) {
				t.Errorf("%s: %s is %q", target, name, got)
			}
		}
	}
}

func TestRequests(t *testing.T) {
	for _, test := range []struct {
		method, path, dest string
		status             int
		body               bool
	}{
		{"GET", "/", "", 200, true},
		{"GET", "/any/where?a=1", "document", 200, true},
		{"HEAD", "/", "", 200, false},
		{"POST", "/", "", 404, true},
		{"GET", "/app.js", "script", 404, true},
		{"GET", "/style.css", "style", 404, true},
		{"GET", "/picture.png", "image", 404, true},
		{"GET", "/data.json", "empty", 404, true},
		{"GET", "/", "iframe", 404, true},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		if test.dest != "" {
			r.Header.Set("Sec-Fetch-Dest", test.dest)
		}
		if w := ask(Options{}, r); w.Code != test.status || (w.Body.Len() > 0) != test.body {
			t.Errorf("%s %s for %s: %d, %d bytes", test.method, test.path, test.dest, w.Code, w.Body.Len())
		}
	}
}

// The console's question is answered for the handshake that has failed; nothing else is.
func TestAsk(t *testing.T) {
	refusal := func(r *http.Request) (int, string) {
		if r.Header.Get("Origin") != "https://example.com" {
			return 0, ""
		}
		return http.StatusTooManyRequests, "too many: " + r.URL.Path
	}
	h := Ask(refusal, http.NotFoundHandler())
	for _, test := range []struct {
		method, origin string
		status         int
		body           string
	}{
		{"GET", "https://example.com", 429, "too many: /path\n"},
		{"GET", "http://localhost", 204, ""},
		{"GET", "", 404, "404 page not found\n"},
		{"POST", "https://example.com", 404, "404 page not found\n"},
	} {
		r := httptest.NewRequest(test.method, "/path", nil)
		r.Header.Set(originHeader, test.origin)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.status || w.Body.String() != test.body {
			t.Errorf("%s from %q: %d %q", test.method, test.origin, w.Code, w.Body)
		}
		if r.Header.Get("Origin") != "" {
			t.Error("the server's own request was changed")
		}
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{}, `<html lang="en" data-framing="lines" data-terminal="off" data-stderr="off" data-resume="off">`},
		{Options{Framing: "bytes"}, `<html lang="en" data-framing="bytes" data-terminal="off" data-stderr="off" data-resume="off">`},
		{Options{Framing: "channels", Terminal: true}, `<html lang="en" data-framing="channels" data-terminal="on" data-stderr="off" data-resume="off">`},
		{Options{PassStderr: true}, `<html lang="en" data-framing="lines" data-terminal="off" data-stderr="on" data-resume="off">`},
		{Options{Resume: true}, `<html lang="en" data-framing="lines" data-terminal="off" data-stderr="off" data-resume="on">`},
	} {
		if page, _ := document(test.o); !strings.Contains(page, test.want) {
			t.Errorf("%+v: the page lacks %s", test.o, test.want)
		}
	}
}
