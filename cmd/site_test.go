package cmd

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// opened opens the site of a command line, until the test ends.
func opened(t *testing.T, o *serveOptions) *openSite {
	t.Helper()
	s, err := o.siteOptions.open(o.addresses, o.timeouts.orDefaults().stall/2, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// files answers plain requests as a command line says.
func files(t *testing.T, args ...string) http.Handler {
	t.Helper()
	o, _, status, stderr := parse(append(args, "child")...)
	if status != 0 {
		t.Fatal(stderr)
	}
	return opened(t, o).onion(timeouts{}.orDefaults(), nil)
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
		r.Host, r.URL.Path = "localhost", path
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
		s, err := o.siteOptions.open(nil, 0, slog.New(slog.DiscardHandler))
		if err == nil {
			s.close()
		}
		if (err == nil) != test.ok || err != nil && !errors.Is(err, site.ErrBelowPrograms) {
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

func TestFilesMissing(t *testing.T) {
	o, _, _, _ := parse("--staticdir=" + filepath.Join(t.TempDir(), "none"))
	_, err := o.siteOptions.open(nil, 0, slog.New(slog.DiscardHandler))
	if err == nil || !strings.HasPrefix(err.Error(), "cannot serve files of ") {
		t.Error(err)
	}
}
