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
		files.ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		if w.Code != test.status || !strings.Contains(w.Header().Get("Content-Type")+w.Body.String(), test.want) ||
			strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s %.40s: %d %s %.40q", test.method, test.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

func TestFilesRange(t *testing.T) {
	files, close, err := newFiles(site(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = close() })
	r := httptest.NewRequest("GET", "/list/file.txt", nil)
	r.Header.Set("Range", "bytes=1-2")
	w := httptest.NewRecorder()
	files.ServeHTTP(w, r)
	if w.Code != http.StatusPartialContent || w.Body.String() != "il" || w.Header().Get("Last-Modified") == "" {
		t.Errorf("%d %s %q", w.Code, w.Header(), w.Body)
	}
}

func TestFilesMissing(t *testing.T) {
	_, _, err := newFiles(filepath.Join(t.TempDir(), "none"))
	if err == nil || !strings.HasPrefix(err.Error(), "cannot serve files of ") {
		t.Error(err)
	}
}
