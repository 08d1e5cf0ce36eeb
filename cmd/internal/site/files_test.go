package site

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// open opens the directory to serve.
func open(t *testing.T, dir string) *Files {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	f, err := NewFiles(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFiles(t *testing.T) {
	dir := sitetest.Public(t)
	links := runtime.GOOS != "windows"
	if links {
		for name, target := range map[string]string{
			"inside.txt": "list/file.txt", "out.txt": "../secret.txt", "outside": "..", "loop": "loop",
			"absolute.txt": filepath.Join(filepath.Dir(dir), "secret.txt"),
			"todot.txt":    ".env", "todotdir": ".git", "list/todot.txt": "../.git/config", "todot/index.html": "../.env", "home": ".", "here.html": "index.html",
		} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	files := open(t, dir).Handler(nil)
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

		// A file has one name.
		{method: "GET", path: "/list%2ffile.txt", status: 404},
		{method: "GET", path: "/list%2Ffile.txt", status: 404},
		{method: "GET", path: "/list/../list/file.txt", status: 404},
		{method: "GET", path: "/x/..%2fapp.js", status: 404},
		{method: "GET", path: "/./app.js", status: 404},
		{method: "GET", path: "//app.js", status: 404},
		{method: "GET", path: "/list//file.txt", status: 404},
		{method: "GET", path: "/sub//", status: 404},
		{method: "GET", path: "//", status: 404},
		{method: "GET", path: "/sub%2f", status: 404},
		{method: "GET", path: "/list%5cfile.txt", status: 404},
		{method: "GET", path: "/%61pp.js", status: 200, want: "text/javascript"}, // RFC 3986, section 6.2.2.2

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
		{method: "GET", path: "/here.html", status: 200, want: "home", link: true},
		{method: "GET", path: "/home/list/file.txt", status: 200, want: "file", link: true},
		{method: "GET", path: "/home/", status: 200, want: "home", link: true},
		{method: "GET", path: "/todot.txt", status: 404, link: true},
		{method: "GET", path: "/todotdir/config", status: 404, link: true},
		{method: "GET", path: "/list/todot.txt", status: 404, link: true},
		{method: "GET", path: "/todot/", status: 404, link: true},
		{method: "GET", path: "/home/.env", status: 404, link: true},
		{method: "GET", path: "/home/todot.txt", status: 404, link: true},
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
		files.ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Header().Get("Content-Type")+w.Body.String(), test.want) ||
			strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s %.40s: %d %s %.40q", test.method, test.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

// A file that is replaced between the lookup and the opening is served if what
// takes its place may be.
func TestFilesReplaced(t *testing.T) {
	dir := sitetest.Public(t)
	f := open(t, dir)
	name := filepath.Join(dir, "list", "file.txt")
	for _, test := range []struct {
		with func(path string) error
		want string // empty: it is not there
	}{
		{func(path string) error { return os.WriteFile(path, []byte("other"), 0o666) }, "other"},
		{func(path string) error { return os.Mkdir(path, 0o777) }, ""},
		{func(path string) error { return os.Symlink("../.env", path) }, ""},
		{func(path string) error { return os.Symlink("../../secret.txt", path) }, ""},
		{func(path string) error { return os.Symlink("../style.css", path) }, "p {}"},
	} {
		if err := errors.Join(os.RemoveAll(name), os.WriteFile(name, nil, 0o666)); err != nil {
			t.Fatal(err)
		}
		found, err := f.look("/list/file.txt")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name, name+".away"); err != nil {
			t.Fatal(err)
		}
		if err := test.with(name); err != nil {
			t.Skip("links need rights here:", err)
		}
		file, _, err := f.open(found)
		if err != nil {
			if test.want != "" {
				t.Errorf("want %q: %v", test.want, err)
			}
			continue
		}
		got, _ := io.ReadAll(file)
		file.Close()
		if string(got) != test.want || test.want == "" {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// A directory that is made anew is served again, unless its rules hang on
// what was in it.
func TestFilesReopened(t *testing.T) {
	dir := sitetest.Public(t)
	for _, test := range []struct {
		programs bool
		want     int
	}{{false, 200}, {true, 404}} {
		if err := os.Mkdir(filepath.Join(dir, "cgi"), 0o777); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		name := fmt.Sprintf("new%t.txt", test.programs)
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		var programs *os.Root
		if test.programs {
			if programs, err = os.OpenRoot(filepath.Join(dir, "cgi")); err != nil {
				t.Fatal(err)
			}
			defer programs.Close()
		}
		f, err := NewFiles(root, programs)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Reopen(); err != nil || f.root.Load() != root {
			t.Errorf("the same: %v", err)
		}
		if err := os.Rename(dir, dir+strconv.FormatBool(test.programs)); err != nil {
			t.Skip("a directory that is open cannot be renamed here:", err)
		}
		if err := f.Reopen(); err == nil {
			t.Error("no error when there is none")
		}
		if err := os.MkdirAll(filepath.Join(dir, "cgi"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("new"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := f.Reopen(); (err != nil) != test.programs {
			t.Errorf("programs %t: %v", test.programs, err)
		}
		w := sitetest.Ask(f.Handler(nil), "GET", "/"+name)
		if body, _ := io.ReadAll(w.Result().Body); w.Code != test.want {
			t.Errorf("programs %t: %d %q", test.programs, w.Code, body)
		}
	}
}
