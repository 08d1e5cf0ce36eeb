package livereload

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/site"
	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// patience is far more than anything takes here, also on a slow machine.
const patience = time.Minute

// serve serves a directory with its pages loaded again, as the program does.
func serve(t *testing.T, dir string, injects bool) (http.Handler, *Reloader) {
	t.Helper()
	l := New(injects, time.Second, slog.New(slog.DiscardHandler))
	t.Cleanup(l.Close)
	f := open(t, dir)
	f.Send = l.Send
	return l.Handler(f.Handler(http.HandlerFunc(l.Missing))), l
}

func open(t *testing.T, dir string) *site.Files {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	f, err := site.NewFiles(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var element = regexp.MustCompile(`<script src="\.wsbridge/livereload\.js\?version=[A-Z2-7]+\.\d+" defer></script>\n$`)

// Pages get the script, and nothing else does.
func TestInjected(t *testing.T) {
	dir := sitetest.Public(t)
	for name, text := range map[string]string{
		"own.html": `<script src="/.wsbridge/livereload.js"></script>`, "utf16.html": "\xff\xfe<\x00", "empty.html": "", "page": "<!doctype html><p>sniffed",
		"page.txt": "<!doctype html>", "large.html": strings.Repeat("x", maxPage+1), "just.html": strings.Repeat("x", maxPage),
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
	injects, _ := serve(t, dir, true)
	asksFor, _ := serve(t, dir, false)
	off := open(t, dir).Handler(nil)
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
		w, script, plain := sitetest.Ask(injects, "GET", test.path, test.header...), sitetest.Ask(asksFor, "GET", test.path, test.header...), sitetest.Ask(off, "GET", test.path, test.header...)
		if w.Code != 200 {
			t.Fatalf("%s %q: %d", test.path, test.header, w.Code)
		}
		got := w.Body.String()
		if is := element.MatchString(got); is != test.want {
			t.Errorf("%s %q: %t, %.200q", test.path, test.header, is, got)
		}
		whole := plain.Body.String()
		if test.path == "/zipped.html" && test.want {
			whole = "as it is"
		}
		if rest := element.ReplaceAllString(got, ""); rest != whole {
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
	if got := strings.Join(sitetest.Ask(injects, "GET", "/zipped.html").Header()["Vary"], ", "); got != "Accept-Encoding, Sec-Fetch-Dest" {
		t.Errorf("Vary: %s", got)
	}
}

// A page with the script is a file of its own: with its length, its ranges
// and its age.
func TestInjectedInPart(t *testing.T) {
	files, _ := serve(t, sitetest.Public(t), true)
	whole := sitetest.Ask(files, "GET", "/")
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
		w := sitetest.Ask(files, test.method, "/", test.header...)
		if w.Code != test.status || w.Body.String() != test.body || test.length != "" && w.Header().Get("Content-Length") != test.length {
			t.Errorf("%s %q: %d %q %q", test.method, test.header, w.Code, w.Header(), w.Body)
		}
	}
}

// What a page was before a change is not what it is after, also if the change
// is in another file: its script tells the stream of which version it is.
func TestVersions(t *testing.T) {
	h, l := serve(t, sitetest.Public(t), true)
	before := sitetest.Ask(h, "GET", "/")
	l.Changed([]string{"app.js"})
	for _, header := range [][]string{{"If-None-Match", before.Header().Get("Etag")}, nil} {
		if w := sitetest.Ask(h, "GET", "/", header...); w.Code != 200 || w.Body.String() == before.Body.String() {
			t.Errorf("%q: %d %q", header, w.Code, w.Body)
		}
	}
	missing := sitetest.Ask(h, "GET", "/missing.html")
	if missing.Code != 404 || !element.MatchString(missing.Body.String()) {
		t.Errorf("%d %q", missing.Code, missing.Body)
	}
	for _, header := range [][]string{{"Sec-Fetch-Dest", "script"}, {"Accept", "application/json"}} {
		if w := sitetest.Ask(h, "GET", "/missing.js", header...); w.Code != 404 || strings.Contains(w.Body.String(), "<") {
			t.Errorf("%q: %d %q", header, w.Code, w.Body)
		}
	}
}

// The script stands in all directories, and nothing else of its name does.
func TestScript(t *testing.T) {
	dir := sitetest.Public(t)
	if err := os.Mkdir(filepath.Join(dir, ".wsbridge"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"livereload.js", "secret.txt"} {
		if err := os.WriteFile(filepath.Join(dir, ".wsbridge", name), []byte("secret"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	l := New(true, time.Second, slog.New(slog.DiscardHandler))
	t.Cleanup(l.Close)
	f := open(t, dir)
	on := l.Handler(f.Handler(f.Index(http.HandlerFunc(l.Missing))))
	off := open(t, dir).Handler(nil)
	for _, path := range []string{Script, Script + "?version=X.1", "/sub" + Script, "/users/42" + Script} {
		w := sitetest.Ask(on, "GET", path)
		if w.Code != 200 || w.Body.String() != source || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
			t.Errorf("%s: %d %q", path, w.Code, w.Header())
		}
		if w := sitetest.Ask(off, "GET", path); w.Code != 404 {
			t.Errorf("%s without --livereload: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/.wsbridge", "/.wsbridge/", "/.wsbridge/secret.txt", "/x.wsbridge/livereload.js", Script + "/"} {
		if w := sitetest.Ask(on, "GET", path); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, path := range []string{Script, Stream} {
		if w := sitetest.Ask(on, "POST", path); w.Code != 405 {
			t.Errorf("POST %s: %d", path, w.Code)
		}
		if w := sitetest.Ask(on, "HEAD", path); w.Code != 200 || w.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d %q", path, w.Code, w.Body)
		}
	}
}
