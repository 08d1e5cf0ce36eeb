package site

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// application serves the files of a directory and its one page.
func application(t *testing.T, dir string) http.Handler {
	t.Helper()
	f := open(t, dir)
	return f.Handler(f.Index(nil))
}

func TestSPA(t *testing.T) {
	dir := sitetest.Public(t)
	app := application(t, dir)
	home, sub := "<h1>home</h1>", "sub"
	const navigation = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, test := range []struct {
		method, path string
		accept       string // empty: no such header
		dest         string // Sec-Fetch-Dest
		status       int
		body         string // of a 200
	}{
		{"GET", "/", navigation, "document", 200, home},
		{"GET", "/app.js", "*/*", "script", 200, "1"},
		{"GET", "/sub/", navigation, "document", 200, sub},

		{"GET", "/users", navigation, "document", 200, home},
		{"GET", "/users/", navigation, "document", 200, home},
		{"GET", "/users/42/edit?a=b.c", navigation, "document", 200, home},
		{"GET", "/v1.2/users", navigation, "document", 200, home},
		{"GET", "/users", navigation, "iframe", 200, home},
		{"GET", "/users", "", "", 200, home},
		{"GET", "/users", "*/*", "", 200, home}, // curl
		{"GET", "/sub/more", navigation, "document", 200, home},
		{"GET", "/list/", navigation, "document", 200, home}, // a directory without a page
		{"GET", "/list", navigation, "document", 200, home},
		{"GET", "//users", navigation, "document", 200, home},
		{"HEAD", "/users", navigation, "document", 200, ""},

		{"GET", "/missing.js", navigation, "document", 404, ""},
		{"GET", "/users/john.doe", navigation, "document", 404, ""},
		{"GET", "/users/john.doe/", navigation, "document", 404, ""},
		{"GET", "/users.", navigation, "document", 404, ""},
		{"GET", "/.env", navigation, "document", 404, ""},
		{"GET", "/.git/config", navigation, "document", 404, ""},
		{"GET", "/users/.hidden/42", navigation, "document", 404, ""},
		{"GET", "/users/../42", navigation, "document", 404, ""},
		{"GET", "/users/.", navigation, "document", 404, ""},
		{"POST", "/users", navigation, "document", 404, ""},
		{"GET", "/users", "application/json", "", 404, ""},
		{"GET", "/users", "application/json, text/html;q=0", "", 404, ""},
		{"GET", "/users", "*/*", "empty", 404, ""}, // fetch()
		{"GET", "/users", "*/*", "script", 404, ""},
		{"GET", "/users", "image/avif,*/*;q=0.8", "image", 404, ""},
	} {
		r := httptest.NewRequest(test.method, "/", nil)
		path, query, _ := strings.Cut(test.path, "?")
		r.URL.Path, r.URL.RawQuery = path, query
		if test.accept != "" {
			r.Header.Set("Accept", test.accept)
		}
		if test.dest != "" {
			r.Header.Set("Sec-Fetch-Dest", test.dest)
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != test.status || w.Code == 200 && w.Body.String() != test.body {
			t.Errorf("%s %s, %s, %s: %d %q", test.method, test.path, test.accept, test.dest, w.Code, w.Body)
		}
	}
}

// The page of an application is a file like others: in its headers, and when
// it is not there.
func TestSPAPage(t *testing.T) {
	dir := sitetest.Public(t)
	app := application(t, dir)
	get := func(path string, header ...string) *httptest.ResponseRecorder {
		return sitetest.Ask(app, "GET", path, header...)
	}
	index, route := get("/"), get("/users")
	for _, name := range []string{"Etag", "Last-Modified", "Content-Type", "Content-Length"} {
		if a, b := index.Header().Get(name), route.Header().Get(name); a != b || a == "" {
			t.Errorf("%s: %q, %q", name, a, b)
		}
	}
	if got := strings.Join(route.Header()["Vary"], ", "); got != "Accept, Sec-Fetch-Dest" {
		t.Errorf("Vary: %s", got)
	}
	if w := get("/users", "If-None-Match", index.Header().Get("Etag")); w.Code != 304 {
		t.Errorf("got %d", w.Code)
	}
	if w := get("/users", "Range", "bytes=4-7"); w.Code != 206 || w.Body.String() != "home" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if err := os.Remove(filepath.Join(dir, "index.html")); err != nil {
		t.Fatal(err)
	}
	if w := get("/users"); w.Code != 404 {
		t.Errorf("got %d", w.Code)
	}
}

func TestAcceptsHTML(t *testing.T) {
	for _, test := range []struct {
		header []string
		want   bool
	}{
		{nil, true}, {[]string{"text/html"}, true}, {[]string{"*/*"}, true}, {[]string{"text/*"}, true}, {[]string{"TEXT/HTML;q=0.1"}, true},
		{[]string{"image/png", "text/html"}, true}, {[]string{"application/json, text/plain, */*"}, true}, {[]string{"text/html;level=1"}, true},
		{[]string{""}, false}, {[]string{"image/png"}, false}, {[]string{"text/plain"}, false}, {[]string{"text/html;q=0"}, false},
		{[]string{"text/html;q=0, */*"}, false}, {[]string{"*/*, text/*;q=0.0"}, false}, {[]string{"*/*;q=0, text/html"}, true}, {[]string{"nonsense"}, false},
	} {
		if got := AcceptsHTML(test.header); got != test.want {
			t.Errorf("%q: %v", test.header, got)
		}
	}
}
