package cmd

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// asked answers a request without a network.
func asked(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var reloadElement = regexp.MustCompile(`<script src="\.wsbridge/livereload\.js\?version=[A-Z2-7]+\.\d+" defer></script>\n$`)

// Pages get the script, and nothing else does.
func TestReloadInjected(t *testing.T) {
	dir := site(t)
	for name, text := range map[string]string{
		"own.html": `<script src="/.wsbridge/livereload.js"></script>`, "utf16.html": "\xff\xfe<\x00", "empty.html": "", "page": "<!doctype html><p>sniffed",
		"page.txt": "<!doctype html>", "large.html": strings.Repeat("x", maxReloadPage+1), "just.html": strings.Repeat("x", maxReloadPage),
		"upper.HTM": "<p>", "zipped.html": "as it is", "zipped.html.gz": "compressed",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// Older than its file, it would not be of it.
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "zipped.html.gz"), later, later); err != nil {
		t.Fatal(err)
	}
	injects, asksFor, off := files(t, "--staticdir="+dir, "--livereload"), files(t, "--staticdir="+dir, "--livereload=script"), files(t, "--staticdir="+dir)
	for _, test := range []struct {
		path   string
		header []string
		want   bool
	}{
		{"/", nil, true},
		{"/sub/", nil, true},
		{"/empty.html", nil, true},
		{"/page", nil, true},
		{"/upper.HTM", nil, true},
		{"/just.html", nil, true},
		{"/zipped.html", []string{"Accept-Encoding", "gzip, br"}, true},
		{"/", []string{"Sec-Fetch-Dest", "document"}, true},
		{"/", []string{"Sec-Fetch-Dest", "iframe"}, true},
		{"/own.html", nil, false},
		{"/utf16.html", nil, false},
		{"/large.html", nil, false},
		{"/page.txt", nil, false},
		{"/app.js", nil, false},
		{"/style.css", nil, false},
		{"/image.svg", nil, false},
		{"/", []string{"Sec-Fetch-Dest", "empty"}, false}, // fetch()
		{"/zipped.html", []string{"Accept-Encoding", "gzip, identity;q=0"}, false},
	} {
		w, script, plain := asked(injects, "GET", test.path, test.header...), asked(asksFor, "GET", test.path, test.header...), asked(off, "GET", test.path, test.header...)
		if w.Code != 200 {
			t.Fatalf("%s %q: %d", test.path, test.header, w.Code)
		}
		got := w.Body.String()
		if is := reloadElement.MatchString(got); is != test.want {
			t.Errorf("%s %q: %t, %.200q", test.path, test.header, is, got)
		}
		whole := plain.Body.String()
		if test.path == "/zipped.html" && test.want {
			whole = "as it is"
		}
		if rest := reloadElement.ReplaceAllString(got, ""); rest != whole {
			t.Errorf("%s %q: the page is %.200q", test.path, test.header, rest)
		}
		if got := w.Header().Get("Content-Length"); got != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%s %q: length %s of %d", test.path, test.header, got, w.Body.Len())
		}
		for _, name := range []string{"Content-Type", "X-Content-Type-Options"} {
			if got, want := w.Header().Get(name), plain.Header().Get(name); got != want {
				t.Errorf("%s %q: %s is %q, not %q", test.path, test.header, name, got, want)
			}
		}
		if w.Header().Get("Cache-Control") != "no-cache" || script.Header().Get("Cache-Control") != "no-cache" || plain.Header().Get("Cache-Control") != "" {
			t.Errorf("%s: %q", test.path, w.Header())
		}
		if script.Body.String() != plain.Body.String() || script.Header().Get("Etag") != plain.Header().Get("Etag") {
			t.Errorf("%s %q, when the page must ask: %.200q", test.path, test.header, script.Body)
		}
		if test.want == (w.Header().Get("Etag") == plain.Header().Get("Etag")) {
			t.Errorf("%s %q: both have %s", test.path, test.header, w.Header().Get("Etag"))
		}
	}
	if got := strings.Join(asked(injects, "GET", "/zipped.html").Header()["Vary"], ", "); got != "Accept-Encoding, Sec-Fetch-Dest" {
		t.Errorf("Vary: %s", got)
	}
}

// A page with the script is a file of its own: with its length, its ranges
// and its age.
func TestReloadInjectedInPart(t *testing.T) {
	files := files(t, "--staticdir="+site(t), "--livereload")
	whole := asked(files, "GET", "/")
	page, length, etag, modified := whole.Body.String(), whole.Header().Get("Content-Length"), whole.Header().Get("Etag"), whole.Header().Get("Last-Modified")
	const long, later = "Mon, 02 Jan 2006 15:04:05 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
	for _, test := range []struct {
		method string
		header []string
		status int
		body   string
		length string
	}{
		{"HEAD", nil, 200, "", length},
		{"GET", []string{"Range", "bytes=0-3"}, 206, "<h1>", "4"},
		{"GET", []string{"Range", "bytes=10-20"}, 206, page[10:21], "11"},
		{"GET", []string{"Range", "bytes=-5"}, 206, "ipt>\n", "5"},
		{"GET", []string{"Range", "bytes=0-3", "If-Range", etag}, 206, "<h1>", "4"},
		{"GET", []string{"Range", "bytes=0-3", "If-Range", `"other"`}, 200, page, length},
		{"GET", []string{"If-None-Match", etag}, 304, "", ""},
		{"GET", []string{"If-None-Match", `"other"`}, 200, page, length},
		{"GET", []string{"If-Modified-Since", modified}, 304, "", ""},
		{"GET", []string{"If-Modified-Since", later}, 304, "", ""},
		{"GET", []string{"If-Modified-Since", long}, 200, page, length},
		{"GET", []string{"If-Match", `"other"`}, 412, "", ""},
		{"POST", nil, 405, "Method Not Allowed\n", ""},
	} {
		w := asked(files, test.method, "/", test.header...)
		if w.Code != test.status || w.Body.String() != test.body || test.length != "" && w.Header().Get("Content-Length") != test.length {
			t.Errorf("%s %q: %d %q %q", test.method, test.header, w.Code, w.Header(), w.Body)
		}
	}
}

// What a page was before a change is not what it is after, also if the change
// is in another file: its script tells the stream of which version it is.
func TestReloadVersions(t *testing.T) {
	var dirs openDirs
	t.Cleanup(dirs.close)
	root, err := dirs.open("serve files of", site(t))
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFileRoute(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.live = newLiveReload(true, slog.New(slog.DiscardHandler))
	h := routes{f.live.serve, f.serve, f.live.serveMissing}
	before := asked(h, "GET", "/")
	f.live.changed([]string{"app.js"})
	for _, header := range [][]string{{"If-None-Match", before.Header().Get("Etag")}, nil} {
		if w := asked(h, "GET", "/", header...); w.Code != 200 || w.Body.String() == before.Body.String() {
			t.Errorf("%q: %d %q", header, w.Code, w.Body)
		}
	}
	missing := asked(h, "GET", "/missing.html")
	if missing.Code != 404 || !reloadElement.MatchString(missing.Body.String()) {
		t.Errorf("%d %q", missing.Code, missing.Body)
	}
	for _, header := range [][]string{{"Sec-Fetch-Dest", "script"}, {"Accept", "application/json"}} {
		if w := asked(h, "GET", "/missing.js", header...); w.Code != 404 || strings.Contains(w.Body.String(), "<") {
			t.Errorf("%q: %d %q", header, w.Code, w.Body)
		}
	}
}

// The script stands in all directories, and nothing else of its name does.
func TestReloadScript(t *testing.T) {
	dir := site(t)
	if err := os.Mkdir(filepath.Join(dir, ".wsbridge"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"livereload.js", "secret.txt"} {
		if err := os.WriteFile(filepath.Join(dir, ".wsbridge", name), []byte("secret"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	on, off := files(t, "--staticdir="+dir, "--livereload", "--spa"), files(t, "--staticdir="+dir)
	for _, path := range []string{reloadScript, reloadScript + "?version=X.1", "/sub" + reloadScript, "/users/42" + reloadScript} {
		w := asked(on, "GET", path)
		if w.Code != 200 || w.Body.String() != reloadSource || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
			t.Errorf("%s: %d %q", path, w.Code, w.Header())
		}
		if w := asked(off, "GET", path); w.Code != 404 {
			t.Errorf("%s without --livereload: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/.wsbridge", "/.wsbridge/", "/.wsbridge/secret.txt", "/x.wsbridge/livereload.js", reloadScript + "/"} {
		if w := asked(on, "GET", path); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, path := range []string{reloadScript, reloadStream} {
		if w := asked(on, "POST", path); w.Code != 405 {
			t.Errorf("POST %s: %d", path, w.Code)
		}
		if w := asked(on, "HEAD", path); w.Code != 200 || w.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d %q", path, w.Code, w.Body)
		}
	}
}

// A directory that is made anew is served again, unless its rules hang on
// what was in it.
func TestFilesReopened(t *testing.T) {
	dir := site(t)
	for _, test := range []struct {
		programs bool
		want     int
	}{{false, 200}, {true, 404}} {
		if err := os.Mkdir(filepath.Join(dir, "cgi"), 0o777); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		name := fmt.Sprintf("new%t.txt", test.programs)
		var dirs openDirs
		t.Cleanup(dirs.close)
		root, err := dirs.open("serve files of", dir)
		if err != nil {
			t.Fatal(err)
		}
		var programs *os.Root
		if test.programs {
			if programs, err = dirs.open("run", filepath.Join(dir, "cgi")); err != nil {
				t.Fatal(err)
			}
		}
		f, err := newFileRoute(root, programs)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.reopen(); err != nil || f.root.Load() != root {
			t.Errorf("the same: %v", err)
		}
		if err := os.Rename(dir, dir+strconv.FormatBool(test.programs)); err != nil {
			t.Skip("a directory that is open cannot be renamed here:", err)
		}
		if err := f.reopen(); err == nil {
			t.Error("no error when there is none")
		}
		if err := os.MkdirAll(filepath.Join(dir, "cgi"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("new"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := f.reopen(); (err != nil) != test.programs {
			t.Errorf("programs %t: %v", test.programs, err)
		}
		w := asked(routes{f.serve}, "GET", "/"+name)
		if body, _ := io.ReadAll(w.Result().Body); w.Code != test.want {
			t.Errorf("programs %t: %d %q", test.programs, w.Code, body)
		}
	}
}
