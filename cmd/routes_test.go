package cmd

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Each route is asked after those before it have declined.
func TestRoutes(t *testing.T) {
	answers := func(path, body string) route {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != path {
				return false
			}
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	rs := routes{answers("/a", "first"), answers("/b", "second"), answers("/a", "third")}
	for _, test := range []struct {
		path   string
		status int
		body   string
	}{{"/a", 200, "first"}, {"/b", 200, "second"}, {"/c", 404, "404 page not found\n"}} {
		w := httptest.NewRecorder()
		rs.ServeHTTP(w, httptest.NewRequest("GET", test.path, nil))
		if w.Code != test.status || w.Body.String() != test.body {
			t.Errorf("%s: %d %q", test.path, w.Code, w.Body)
		}
	}
}

// No file below --cgidir is served as a file, however it is asked for.
func TestProgramsAreNoFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "public")
	for name, mode := range map[string]os.FileMode{
		"index.html": 0o666, "cgi/data.txt": 0o666, "cgi/data.txt.gz": 0o666, "cgi/index.html": 0o666, "cgi/sub/lib.py": 0o666, "cgi/sub/index.html": 0o666, "cgi/.env": 0o666,
		"cgi2/data.txt": 0o666, "deep/cgi/data.txt": 0o666, "file.txt": 0o666,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	cgi := filepath.Join(dir, "cgi")
	if runtime.GOOS != "windows" {
		for name, target := range map[string]string{
			"link.txt": "cgi/data.txt", "linked": "cgi", "deep/up": "../cgi/sub", "twice": "linked", "deep/index.html": "../cgi/index.html",
			"file.txt.gz": "cgi/data.txt.gz", "cgi/out.txt": "../file.txt",
		} {
			if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				t.Fatal(err)
			}
		}
		// The directory of the programs may itself be given by a link.
		cgi = filepath.Join(filepath.Dir(dir), "programs")
		if err := os.Symlink(filepath.Join("public", "cgi"), cgi); err != nil {
			t.Fatal(err)
		}
	}
	files := files(t, "--staticdir="+dir, "--cgidir="+cgi)
	get := func(path string) (int, string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		files.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	for _, path := range []string{
		"/cgi", "/cgi/", "/cgi/data.txt", "/cgi/data.txt.gz", "/cgi/data.txt/", "/cgi/index.html", "/cgi/sub/", "/cgi/sub", "/cgi/sub/lib.py", "/cgi/.env", "/cgi//data.txt",
		"/./cgi/data.txt", "/deep/../cgi/data.txt", "//cgi/data.txt", "/CGI/data.txt", "/cgi/data.txt.", "/cgi./data.txt", "/cgi::$INDEX_ALLOCATION/data.txt",
		"/link.txt", "/linked/data.txt", "/linked/", "/deep/up/lib.py", "/deep/up/", "/twice/data.txt", "/deep/", "/deep/index.html",
	} {
		if status, body := get(path); status != 404 {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	for path, want := range map[string]string{
		"/": "index.html", "/cgi2/data.txt": "cgi2/data.txt", "/deep/cgi/data.txt": "deep/cgi/data.txt", "/file.txt": "file.txt",
	} {
		if status, body := get(path); status != 200 || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}

// Files that lie in the directory of the programs are a mistake.
func TestFilesBelowPrograms(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"cgi/public/deep", "public/cgi", "cgi2"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(sub)), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, test := range []struct {
		static, cgi string
		ok          bool
	}{
		{"cgi", "cgi", false}, {"cgi/public", "cgi", false}, {"cgi/public/deep", "./cgi", false}, {"cgi/public/..", "cgi", false},
		{filepath.Join(dir, "cgi", "public"), "cgi", false}, {"cgi", ".", false}, {".", ".", false},
		{"public", "public/cgi", true}, {"cgi2", "cgi", true}, {"public", "cgi", true}, {".", "cgi", true},
	} {
		o, _, _, stderr := parse("--staticdir="+test.static, "--cgidir="+test.cgi)
		if o == nil {
			t.Fatal(stderr)
		}
		var dirs openDirs
		err := o.openDirs(o.handler(nil, nil), &dirs)
		dirs.close()
		if (err == nil) != test.ok {
			t.Errorf("%s in %s: %v", test.static, test.cgi, err)
		}
	}
}

// What cannot be run tells a stranger nothing of the machine.
func TestDirectoriesDiscloseNothing(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"a-program": 0o777, "data.txt": 0o666, "sub/file": 0o666} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("no program"), mode); err != nil {
			t.Fatal(err)
		}
	}
	addr, _ := open(t, "--dir="+dir, "--cgidir="+dir, "--maxframesize=10")
	starts := runtime.GOOS != "windows" // by the name
	for _, test := range []struct {
		path   string
		status [2]int // of an upgrade and of a POST with a body
	}{
		{"/a-program", [2]int{101, 500}},
		{"/a-program/x", [2]int{101, 500}},
		{"/data.txt", [2]int{404, 404}},
		{"/sub", [2]int{404, 404}},
		{"/none", [2]int{404, 404}},
		{"/../a-program", [2]int{404, 404}},
		{"/a%00b", [2]int{400, 404}},
	} {
		if strings.Contains(test.path, "/a-p") && !starts {
			continue
		}
		for i, request := range []string{
			"GET " + test.path + " HTTP/1.1\r\nHost: localhost\r\n" + upgradeLines + "\r\n",
			"POST " + test.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody",
		} {
			w := dial(t, addr)
			w.say(request)
			status, text := w.answer("GET")
			if status == 101 {
				text += w.messages()
			}
			if status != test.status[i] {
				t.Errorf("%q: %d, want %d", request, status, test.status[i])
			}
			for _, secret := range []string{dir, filepath.Dir(dir), "a-program", "data.txt", "exec", "errno", "open", "directory"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q: %q is in %q", request, secret, text)
				}
			}
		}
	}
	w := dial(t, addr)
	w.say("POST /a-program HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello world")
	if status, text := w.answer("POST"); starts && (status != 413 || strings.Contains(text, dir)) {
		t.Errorf("%d %q", status, text)
	}
}

func TestTypeOf(t *testing.T) {
	for name, want := range map[string]string{
		"app.mjs": "text/javascript; charset=utf-8", "app.JS": "text/javascript; charset=utf-8", "lib/mod.wasm": "application/wasm", "app.webmanifest": "application/manifest+json",
		"a.woff": "font/woff", "a.woff2": "font/woff2", "a.ttf": "font/ttf", "a.otf": "font/otf", "a.svg": "image/svg+xml", "a.webp": "image/webp", "a.avif": "image/avif",
		"favicon.ico": "image/vnd.microsoft.icon", "app.js.map": "application/json", "data.json": "application/json", "page.htm": "text/html; charset=utf-8",
		"a.mp4": "video/mp4", "a.webm": "video/webm", "notes.md": "text/markdown; charset=utf-8", "a.vtt": "text/vtt; charset=utf-8",
		"README": "", "a.no-such-type": "", "a.": "",
	} {
		if got := typeOf(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
