package cmd

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// site makes a directory to serve, with a secret beside it.
func site(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	for name, text := range map[string]string{
		"secret.txt":             "secret",
		"public/index.html":      "<h1>home</h1>",
		"public/app.mjs":         "export {}",
		"public/app.js":          "1",
		"public/app.wasm":        "\x00asm",
		"public/style.css":       "p {}",
		"public/image.svg":       "<svg/>",
		"public/data.json":       "{}",
		"public/.env":            "secret",
		"public/.git/config":     "secret",
		"public/list/file.txt":   "file",
		"public/sub/index.html":  "sub",
		"public/odd/index.html/": "",
	} {
		path := filepath.Join(top, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(top, "public")
}

func TestFiles(t *testing.T) {
	dir := site(t)
	links := runtime.GOOS != "windows"
	if links {
		for name, target := range map[string]string{
			"inside.txt": "list/file.txt", "out.txt": "../secret.txt", "outside": "..", "loop": "loop",
			"absolute.txt": filepath.Join(filepath.Dir(dir), "secret.txt"),
		} {
			if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, close, err := newFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = close() })
	for _, test := range []struct {
		method, path string
		status       int
		want         string // part of the body or of the content type
		link         bool
	}{
		{method: "GET", path: "/", status: 200, want: "home"},
		{method: "HEAD", path: "/", status: 200, want: "text/html"},
		{method: "GET", path: "/sub/", status: 200, want: "sub"},
		{method: "GET", path: "/sub", status: 301},
		{method: "GET", path: "/list/file.txt", status: 200, want: "file"},
		{method: "GET", path: "/app.mjs", status: 200, want: "text/javascript"},
		{method: "GET", path: "/app.js", status: 200, want: "text/javascript"},
		{method: "GET", path: "/app.wasm", status: 200, want: "application/wasm"},
		{method: "GET", path: "/style.css", status: 200, want: "text/css"},
		{method: "GET", path: "/image.svg", status: 200, want: "image/svg+xml"},
		{method: "GET", path: "/data.json", status: 200, want: "application/json"},
		{method: "POST", path: "/", status: 405},
		{method: "GET", path: "/nothing", status: 404},
		{method: "GET", path: "/list/", status: 404},
		{method: "GET", path: "/list", status: 404},
		{method: "GET", path: "/odd/", status: 404},
		{method: "GET", path: "/.env", status: 404},
		{method: "GET", path: "/.git/config", status: 404},
		{method: "GET", path: "/%2e%2e/secret.txt", status: 404},
		{method: "GET", path: "/..%2fsecret.txt", status: 404},
		{method: "GET", path: "/list/file.txt/x", status: 404},

		// Ways out.
		{method: "GET", path: "/../secret.txt", status: 404},
		{method: "GET", path: "/list/../../secret.txt", status: 404},
		{method: "GET", path: "/%2E%2E/secret.txt", status: 404},
		{method: "GET", path: "/.%2e/secret.txt", status: 404},
		{method: "GET", path: "/list%2f..%2f..%2fsecret.txt", status: 404},
		{method: "GET", path: "/%2f..%2fsecret.txt", status: 404},
		{method: "GET", path: "/..%5csecret.txt", status: 404},
		{method: "GET", path: "/list%5c..%5c..%5csecret.txt", status: 404},
		{method: "GET", path: "/%5c..%5csecret.txt", status: 404},
		{method: "GET", path: "/..%5c..%5c/secret.txt", status: 404},
		{method: "GET", path: "/%252e%252e/secret.txt", status: 404},
		{method: "GET", path: "/..%252fsecret.txt", status: 404},
		{method: "GET", path: "/%c0%ae%c0%ae/secret.txt", status: 404}, // dots in too many bytes
		{method: "GET", path: "/..%c0%afsecret.txt", status: 404},
		{method: "GET", path: "/%uff0e%uff0e/secret.txt", status: 400},
		{method: "GET", path: "/.../secret.txt", status: 404},
		{method: "GET", path: "/..;/secret.txt", status: 404},
		{method: "GET", path: "//../secret.txt", status: 404},
		{method: "GET", path: filepath.ToSlash(filepath.Join(filepath.Dir(dir), "secret.txt")), status: 404},
		{method: "GET", path: "/%00/../secret.txt", status: 404},
		{method: "GET", path: "/list/file.txt%00.html", status: 404},
		{method: "GET", path: "/%ff", status: 404},
		{method: "GET", path: "/%0a", status: 404},

		// A slash is a slash, however it is written.
		{method: "GET", path: "/list%2ffile.txt", status: 200, want: "file"},
		{method: "GET", path: "/list%2Ffile.txt", status: 200, want: "file"},
		{method: "GET", path: "/list/../list/file.txt", status: 200, want: "file"},
		{method: "GET", path: "/list%5cfile.txt", status: 404},

		// Dot files, encoded.
		{method: "GET", path: "/%2eenv", status: 404},
		{method: "GET", path: "/%2Eenv", status: 404},
		{method: "GET", path: "/.%65nv", status: 404},
		{method: "GET", path: "/%2egit/config", status: 404},
		{method: "GET", path: "/.git%2fconfig", status: 404},
		{method: "GET", path: "/.git", status: 404},
		{method: "GET", path: "/.git/", status: 404},
		{method: "GET", path: "/list/../.env", status: 404},
		{method: "GET", path: "/list%2f..%2f.env", status: 404},
		{method: "GET", path: "/list%2f%2e%2e%2f%2eenv", status: 404},
		{method: "GET", path: "/.%5cenv", status: 404},
		{method: "GET", path: "/.%2f.env", status: 404},
		{method: "HEAD", path: "/.env", status: 404},

		// What Windows would take for another file.
		{method: "GET", path: "/list/file.txt.", status: 404},
		{method: "GET", path: "/list/file.txt%20", status: 404},
		{method: "GET", path: "/list/file.txt::$DATA", status: 404},
		{method: "GET", path: "/list::$INDEX_ALLOCATION/file.txt", status: 404},
		{method: "GET", path: "/NUL", status: 404},
		{method: "GET", path: "/CON", status: 404},
		{method: "GET", path: "/list/aux.txt", status: 404},
		{method: "GET", path: "/GIT~1/config", status: 404},
		{method: "GET", path: "/list/C:/secret.txt", status: 404},
		{method: "GET", path: "/a%00b", status: 404},
		{method: "GET", path: "/" + strings.Repeat("x", 5000), status: 404},
		{method: "GET", path: "/inside.txt", status: 200, want: "file", link: true},
		{method: "GET", path: "/out.txt", status: 404, link: true},
		{method: "GET", path: "/absolute.txt", status: 404, link: true},
		{method: "GET", path: "/outside/secret.txt", status: 404, link: true},
		{method: "GET", path: "/outside/", status: 404, link: true},
		{method: "GET", path: "/loop", status: 404, link: true},
	} {
		if test.link && !links {
			continue
		}
		w := httptest.NewRecorder()
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(test.method + " " + test.path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")))
		if err != nil {
			if test.status != http.StatusBadRequest { // which the server answers
				t.Error(err)
			}
			continue
		}
		routes{files}.ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Header().Get("Content-Type")+w.Body.String(), test.want) ||
			strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s %.40s: %d %s %.40q", test.method, test.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

func TestFilesInPart(t *testing.T) {
	files, close, err := newFiles(site(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = close() })
	get := func(method, path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		routes{files}.ServeHTTP(w, r)
		return w
	}
	const file, page = "/list/file.txt", "/"
	modified := get("GET", file).Header().Get("Last-Modified")
	if modified == "" {
		t.Fatal("no Last-Modified")
	}
	const long, later = "Mon, 02 Jan 2006 15:04:05 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
	for _, test := range []struct {
		method, path string
		header       []string
		status       int
		body         string
		length       string
	}{
		{"GET", file, nil, 200, "file", "4"},
		{"HEAD", file, nil, 200, "", "4"},
		{"HEAD", page, nil, 200, "", "13"},
		{"GET", file, []string{"Range", "bytes=1-2"}, 206, "il", "2"},
		{"GET", file, []string{"Range", "bytes=1-"}, 206, "ile", "3"},
		{"GET", file, []string{"Range", "bytes=-1"}, 206, "e", "1"},
		{"GET", file, []string{"Range", "bytes=2-1000"}, 206, "le", "2"},
		{"GET", page, []string{"Range", "bytes=0-3"}, 206, "<h1>", "4"},
		{"HEAD", file, []string{"Range", "bytes=1-2"}, 206, "", "2"},
		{"GET", file, []string{"Range", "bytes=4-"}, 416, "", ""},
		{"GET", file, []string{"Range", "bytes=x"}, 416, "", ""},
		{"GET", file, []string{"Range", "bytes=0-3,0-3,0-3,0-3,0-3"}, 200, "file", "4"}, // more than the whole
		{"GET", file, []string{"Range", "bytes=1-2", "If-Range", modified}, 206, "il", "2"},
		{"GET", file, []string{"Range", "bytes=1-2", "If-Range", long}, 200, "file", "4"},
		{"GET", file, []string{"If-Modified-Since", modified}, 304, "", ""},
		{"GET", file, []string{"If-Modified-Since", later}, 304, "", ""},
		{"GET", file, []string{"If-Modified-Since", long}, 200, "file", "4"},
		{"GET", file, []string{"If-Modified-Since", "yesterday"}, 200, "file", "4"},
		{"HEAD", file, []string{"If-Modified-Since", modified}, 304, "", ""},
		{"GET", page, []string{"If-Modified-Since", later}, 304, "", ""},
		{"GET", file, []string{"If-Unmodified-Since", long}, 412, "", ""},
		{"GET", "/none", []string{"Range", "bytes=0-1"}, 404, "404 page not found\n", ""},
		{"GET", "/.env", []string{"If-Modified-Since", modified}, 404, "404 page not found\n", ""},
	} {
		w := get(test.method, test.path, test.header...)
		if w.Code != test.status || test.status != 416 && w.Body.String() != test.body ||
			test.length != "" && w.Header().Get("Content-Length") != test.length {
			t.Errorf("%s %s %q: %d %s %q", test.method, test.path, test.header, w.Code, w.Header(), w.Body)
		}
	}
}

// The rule for names on Windows is the same wherever it is tested.
func TestMisread(t *testing.T) {
	for _, name := range []string{
		"CON", "con", "Con", "PRN", "AUX", "NUL", "nul", "COM1", "com9", "COM0", "LPT1", "lpt9", "CONIN$", "conout$", "CLOCK$",
		"COM¹", "com²", "LPT³",
		"nul.txt", "aux.txt", "NUL.tar.gz", "con.html", "com1.js", "nul .txt", "NUL  .a", "con.",
		"nul:", "nul:x", "C:", "C:x", "file.txt::$DATA", "file.txt:stream", ":", "dir::$INDEX_ALLOCATION",
		"file.txt.", "file.txt ", "file.txt. .", "file.txt...", " ", "a ", "...", "..",
		`a\b`, `..\secret.txt`, `\`, "a*", "a?", "a<b", "a>b", `a"b`, "a|b",
		"GIT~1", "git~1", "PROGRA~1", "ENV~10", "FILE~1.TXT", "A1B2C3~9",
	} {
		if !misread(name) {
			t.Errorf("%q would be served", name)
		}
	}
	for _, name := range []string{
		".", "index.html", "file.txt", "a b.txt", " a", "CONSOLE", "console.html", "nullable", "null", "auxiliary.txt", "com", "lpt", "com10", "com1x",
		"COMA", "comé", "common.js", "icon", "my.nul", "a.con", "lpt.txt", "~", "a~", "~a", "a~b", "backup~", "été.html", "a-1", "a$", "a;b", "a%b",
	} {
		if misread(name) {
			t.Errorf("%q would not be served", name)
		}
	}
}

func TestFilesMissing(t *testing.T) {
	_, _, err := newFiles(filepath.Join(t.TempDir(), "none"))
	if err == nil || !strings.HasPrefix(err.Error(), "cannot serve files of ") {
		t.Error(err)
	}
}
