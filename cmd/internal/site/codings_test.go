package site

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAcceptedCodings(t *testing.T) {
	for _, test := range []struct{ header, want string }{
		{"", "identity"},
		{"gzip", "gzip identity"},
		{"gzip, deflate, br", "br gzip identity"},
		{"gzip, deflate, br, zstd", "br zstd gzip identity"},
		{"GZip,\tBR ", "br gzip identity"},
		{"x-gzip", "gzip identity"},
		{"gzip;q=1, br;q=0.5", "gzip br identity"},
		{"gzip ; Q=0.001, br;q=0.002", "br gzip identity"},
		{"br;q=0.8, zstd;q=0.9, gzip;q=0.8", "zstd br gzip identity"},
		{"br;q=0, gzip", "gzip identity"},
		{"br;q=0.000, gzip;q=0", "identity"},
		{"identity", "identity"},
		{"identity, gzip;q=0.5", "identity gzip"},
		{"identity;q=0.5, gzip;q=0.5", "gzip identity"},
		{"identity;q=0, gzip", "gzip"},
		{"identity;q=0", ""},
		{"*;q=0", ""},
		{"*;q=0, gzip", "gzip"},
		{"identity;q=1, *;q=0", "identity"},
		{"*", "br zstd gzip identity"},
		{"gzip, *;q=0.1", "gzip br zstd identity"},
		{"*;q=0.5, br;q=0", "zstd gzip identity"},
		{"compress, deflate, sdch", "identity"},
		{"gzip;q=0, gzip", "gzip identity"}, // the last counts

		// What is malformed asks for nothing.
		{"gzip;q=2", "identity"}, {"gzip;q=-1", "identity"}, {"gzip;q=", "identity"}, {"gzip;q=x", "identity"}, {"gzip;q=NaN", "identity"},
		{"gzip;q=Inf", "identity"}, {"gzip;level=9", "identity"}, {"gzip;q=1;x", "identity"}, {";q=1", "identity"}, {",,", "identity"}, {"gzip br", "identity"},
		{"*;q=x", "identity"}, {"identity;q=x", "identity"},
	} {
		if got := strings.Join(acceptedCodings([]string{test.header}), " "); got != test.want {
			t.Errorf("%q: got %q, want %q", test.header, got, test.want)
		}
	}
	if got := acceptedCodings([]string{"gzip", "br;q=0.5"}); !slices.Equal(got, []string{"gzip", "br", "identity"}) {
		t.Errorf("two lines: %q", got)
	}
}

// Whatever a client sends, it gets no coding twice and none that it did not
// name.
func FuzzAcceptedCodings(f *testing.F) {
	for _, s := range []string{"", "gzip, deflate, br, zstd", "*;q=0.5, identity;q=0", "gzip;q=1e-1", "br;q=0x1p-1", "gzip;;q=1", "x-gzip;q=0,gzip", "\x00", "q=1", "identity;q=0,*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := acceptedCodings([]string{header})
		seen := map[string]bool{}
		for _, coding := range got {
			if seen[coding] || coding != identity && !strings.Contains(strings.ToLower(header), coding) && !strings.Contains(header, "*") {
				t.Errorf("%q: %q", header, got)
			}
			seen[coding] = true
		}
		if !seen[identity] && !strings.Contains(strings.ToLower(header), identity) && !strings.Contains(header, "*") {
			t.Errorf("%q: %q", header, got)
		}
	})
}

// coded is a site with files that are compressed in advance; their text tells
// which is which.
func coded(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "public")
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	for name, age := range map[string]time.Duration{
		"app.js": 0, "app.js.gz": 0, "app.js.br": time.Second, "app.js.zst": time.Minute,
		"sub/index.html": 0, "sub/index.html.gz": 0,
		"old.css": time.Minute, "old.css.gz": 0, "old.css.br": 2 * time.Minute,
		"plain.txt": 0,
		"guess":     0, "guess.gz": 0,
		"only.txt.gz": 0,
		"dir.txt":     0, "dir.txt.gz/x": 0,
		".dot.txt.gz": 0, "dot.txt": 0,
		"data.tar.gz": 0,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("<p>"+name), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, begin.Add(age), begin.Add(age)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Which form of a file a client gets.
func TestFilesCoded(t *testing.T) {
	files := open(t, coded(t)).Handler(nil)
	for _, test := range []struct {
		path, accept string
		status       int
		body         string
		coding       string
		contentType  string
		vary         bool
	}{
		{"/app.js", "", 200, "app.js", "", "text/javascript; charset=utf-8", true},
		{"/app.js", "gzip", 200, "app.js.gz", "gzip", "text/javascript; charset=utf-8", true},
		{"/app.js", "gzip, deflate, br, zstd", 200, "app.js.br", "br", "text/javascript; charset=utf-8", true},
		{"/app.js", "zstd", 200, "app.js.zst", "zstd", "text/javascript; charset=utf-8", true},
		{"/app.js", "br;q=0.1, gzip;q=0.9", 200, "app.js.gz", "gzip", "text/javascript; charset=utf-8", true},
		{"/app.js", "identity;q=0, zstd", 200, "app.js.zst", "zstd", "text/javascript; charset=utf-8", true},
		{"/app.js", "identity, *;q=0", 200, "app.js", "", "text/javascript; charset=utf-8", true},
		{"/app.js", "identity;q=0", 406, "", "", "text/plain; charset=utf-8", true},
		{"/app.js.gz", "gzip", 200, "app.js.gz", "", "application/gzip", false},
		{"/sub/", "gzip, br", 200, "sub/index.html.gz", "gzip", "text/html; charset=utf-8", true},
		{"/old.css", "gzip", 200, "old.css", "", "text/css; charset=utf-8", true}, // the br could have been
		{"/old.css", "gzip, br", 200, "old.css.br", "br", "text/css; charset=utf-8", true},
		{"/plain.txt", "gzip, br", 200, "plain.txt", "", "text/plain; charset=utf-8", false},
		{"/plain.txt", "identity;q=0, gzip", 406, "", "", "text/plain; charset=utf-8", true},
		{"/guess", "gzip", 200, "guess.gz", "gzip", "text/html; charset=utf-8", true},
		{"/guess", "", 200, "guess", "", "text/html; charset=utf-8", true},
		{"/only.txt", "gzip", 404, "", "", "text/plain; charset=utf-8", false},
		{"/dir.txt", "gzip", 200, "dir.txt", "", "text/plain; charset=utf-8", false},
		{"/dot.txt", "gzip", 200, "dot.txt", "", "text/plain; charset=utf-8", false},
		{"/data.tar.gz", "gzip", 200, "data.tar.gz", "", "application/gzip", false},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			r := httptest.NewRequest(method, test.path, nil)
			r.Header.Set("Accept-Encoding", test.accept)
			w := httptest.NewRecorder()
			files.ServeHTTP(w, r)
			h := w.Header()
			body := "<p>" + test.body
			if h.Get("Content-Type") == "application/x-gzip" { // by the machine's table
				h.Set("Content-Type", "application/gzip")
			}
			if w.Code != test.status || h.Get("Content-Encoding") != test.coding || h.Get("Content-Type") != test.contentType || (h.Get("Vary") != "") != test.vary {
				t.Errorf("%s %s %q: %d %v", method, test.path, test.accept, w.Code, h)
			}
			if w.Code == 200 && (h.Get("Content-Length") != strconv.Itoa(len(body)) || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Etag") == "") {
				t.Errorf("%s %s %q: %v", method, test.path, test.accept, h)
			}
			if method == "HEAD" {
				body = ""
			}
			if w.Code == 200 && w.Body.String() != body {
				t.Errorf("%s %s %q: got %q", method, test.path, test.accept, w.Body)
			}
		}
	}
}

// Conditions and ranges are about the form that the client gets.
func TestFilesCodedInPart(t *testing.T) {
	dir := coded(t)
	files := open(t, dir).Handler(nil)
	get := func(accept string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/app.js", nil)
		r.Header.Set("Accept-Encoding", accept)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		files.ServeHTTP(w, r)
		return w
	}
	plain, zipped := get("").Header().Get("Etag"), get("gzip").Header().Get("Etag")
	tags := []string{plain, zipped, get("br").Header().Get("Etag"), get("zstd").Header().Get("Etag")}
	slices.Sort(tags)
	if len(slices.Compact(tags)) != 4 || !strings.HasPrefix(tags[0], `"`) {
		t.Errorf("the tags are %q", tags)
	}
	const long = "Mon, 02 Jan 2006 15:04:05 GMT"
	for _, test := range []struct {
		accept string
		header []string
		status int
		body   string // of "<p>app.js.gz" or "<p>app.js"
		coding string
		length string
	}{
		{"gzip", []string{"Range", "bytes=3-5"}, 206, "app", "gzip", "3"},
		{"gzip", []string{"Range", "bytes=-3"}, 206, ".gz", "gzip", "3"},
		{"gzip", []string{"Range", "bytes=3-5", "If-Range", zipped}, 206, "app", "gzip", "3"},
		{"gzip", []string{"Range", "bytes=3-5", "If-Range", plain}, 200, "<p>app.js.gz", "gzip", "12"},
		{"gzip", []string{"Range", "bytes=100-"}, 416, "", "", ""},
		{"", []string{"Range", "bytes=-3"}, 206, ".js", "", "3"},
		{"gzip", []string{"If-None-Match", zipped}, 304, "", "", ""},
		{"gzip", []string{"If-None-Match", plain}, 200, "<p>app.js.gz", "gzip", "12"},
		{"", []string{"If-None-Match", plain + ", " + zipped}, 304, "", "", ""},
		{"", []string{"If-None-Match", zipped}, 200, "<p>app.js", "", "9"},
		{"gzip", []string{"If-None-Match", "W/" + zipped}, 304, "", "", ""},
		{"gzip", []string{"If-Match", zipped}, 200, "<p>app.js.gz", "gzip", ""},
		{"gzip", []string{"If-Match", plain}, 412, "", "gzip", ""},
		{"gzip", []string{"If-Unmodified-Since", long}, 412, "", "gzip", ""},
		{"", []string{"If-Match", zipped}, 412, "", "", ""},
	} {
		w := get(test.accept, test.header...)
		h := w.Header()
		if w.Code != test.status || test.status != 416 && w.Body.String() != test.body ||
			h.Get("Content-Encoding") != test.coding || h.Get("Content-Length") != test.length || !strings.Contains(h.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%q %q: %d %v %q", test.accept, test.header, w.Code, h, w.Body)
		}
	}

	// A file that has changed is another one, in all its forms.
	later := time.Now()
	if err := os.Chtimes(filepath.Join(dir, "app.js"), later, later); err != nil {
		t.Fatal(err)
	}
	if w := get("gzip", "If-None-Match", plain); w.Code != 200 || w.Body.String() != "<p>app.js" || w.Header().Get("Etag") == plain {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
}
