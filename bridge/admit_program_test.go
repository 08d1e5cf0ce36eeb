package bridge

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// programs is a directory of children: each file is this test binary, which
// does what its name says when it has no arguments. A name may have slashes.
func programs(t testing.TB, names ...string) *os.Root {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name)+exe)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if os.Link(self, path) != nil { // the directories may be of two file systems
			binary, err := os.ReadFile(self)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, binary, 0o777); err != nil {
				t.Fatal(err)
			}
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

var exe = map[bool]string{true: ".exe"}[runtime.GOOS == "windows"]

// inDir sets up a Handler whose children are those of a directory.
func inDir(h *Handler, root *os.Root) *Handler {
	h.CommandDir = root
	h.Env = append(h.Env, childVar+"=1", "GORACE=atexit_sleep_ms=0")
	return h
}

func init() {
	// where prints what it was told of the path, its directory and its arguments.
	children["where"] = func([]string) {
		dir, _ := os.Getwd()
		for _, name := range []string{"SCRIPT_NAME", "PATH_INFO", "PATH_TRANSLATED"} {
			os.Stdout.WriteString(os.Getenv(name) + "\n")
		}
		os.Stdout.WriteString(dir + "\n" + strings.Join(os.Args, " ") + "\n")
	}
	// A program that is started by the name of a link goes by that.
	children["link"], children["back"], children["wh ere"] = children["where"], children["where"], children["where"]
}

// What the path of a URL starts, and what the program is told of it.
func TestCommandDir(t *testing.T) {
	root := programs(t, "where", "sub/deep/where", "sub/wh ere")
	links := runtime.GOOS != "windows"
	if links {
		for name, target := range map[string]string{"link": "where", "dir": "sub", "out": "/bin/sh", "sub/back": "../where"} {
			if err := os.Symlink(target, filepath.Join(root.Name(), name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, mode := range map[string]os.FileMode{"data.txt": 0o666, ".hidden" + exe: 0o777, "sub/data": 0o666} {
		if err := os.WriteFile(filepath.Join(root.Name(), name), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	srv := serve(t, inDir(&Handler{}, root))
	for _, test := range []struct {
		path   string // EXE stands for the ending of a program's name
		script string // empty: 404
		info   string
		below  string // PATH_TRANSLATED below the directory; "-" for none
		link   bool
	}{
		{path: "/whereEXE", script: "/whereEXE", below: "-"},
		{path: "/whereEXE?x=1", script: "/whereEXE", below: "-"},
		{path: "/whereEXE/", script: "/whereEXE", info: "/", below: ""},
		{path: "/whereEXE/a/b", script: "/whereEXE", info: "/a/b", below: "a/b"},
		{path: "/whereEXE/a%20b/%C3%A9", script: "/whereEXE", info: "/a b/é", below: "a b/é"},
		{path: "/whereEXE//a//b/", script: "/whereEXE", info: "//a//b/", below: "a/b"},
		{path: "/whereEXE/.a/..b", script: "/whereEXE", info: "/.a/..b", below: ".a/..b"},
		{path: "/sub/deep/whereEXE/x", script: "/sub/deep/whereEXE", info: "/x", below: "x"},
		{path: "/sub/wh%20ereEXE", script: "/sub/wh ereEXE", below: "-"},
		{path: "/%77here" + "EXE", script: "/whereEXE", below: "-"},

		// A program has one name. Behind it a slash is a slash, however it is written.
		{path: "/sub/deep/whereEXE/a%2Fb", script: "/sub/deep/whereEXE", info: "/a/b", below: "a/b"},
		{path: "/sub%2fdeep/whereEXE"}, {path: "/sub/deep%2FwhereEXE"}, {path: "/whereEXE%2Fx"},

		{path: "/"}, {path: "/sub"}, {path: "/sub/"}, {path: "/sub/deep/"}, {path: "/none"}, {path: "/sub/none/x"},
		{path: "/data.txt"}, {path: "/data.txt/x"}, {path: "/sub/data"}, {path: "/.hiddenEXE"}, {path: "/%2ehiddenEXE"},
		{path: "//whereEXE"}, {path: "/sub//deep/whereEXE"}, {path: "/./whereEXE"}, {path: "/sub/../whereEXE"}, {path: "/../whereEXE"},
		{path: "/%2e%2e/whereEXE"}, {path: "/sub/%2e%2e/whereEXE"}, {path: "/sub%2f..%2fwhereEXE"}, {path: "/..%2fwhereEXE"}, {path: "/..%5cwhereEXE"},
		{path: "/sub%5cdeep%5cwhereEXE"}, {path: "/whereEXE/.."}, {path: "/whereEXE/../x"}, {path: "/whereEXE/%2e%2e/x"}, {path: "/whereEXE/%2e"},
		{path: "/bin/sh"}, {path: "//bin/sh"}, {path: "/%2fbin%2fsh"}, {path: "/../../../../../../../../bin/sh"},
		{path: "/nul"}, {path: "/con.exe"}, {path: "/whereEXE."}, {path: "/whereEXE%20"}, {path: "/whereEXE::$DATA"}, {path: "/" + strings.Repeat("x", 5000)},

		{path: "/link/x", script: "/link", info: "/x", below: "x", link: true},
		{path: "/dir/deep/where", script: "/dir/deep/where", below: "-", link: true},
		{path: "/sub/back", script: "/sub/back", below: "-", link: true},
		{path: "/out", link: true}, {path: "/out/x", link: true}, {path: "/link/..", link: true},
	} {
		if test.link && !links {
			continue
		}
		path := strings.ReplaceAll(test.path, "EXE", exe)
		p := dial(t, srv.Listener.Addr().String())
		p.write([]byte(handshakeFor(srv, path)))
		if test.script == "" {
			if status := p.status(); status != 404 {
				t.Errorf("%.40s: %d", path, status)
			}
			continue
		}
		p.wantSwitch()
		script := strings.ReplaceAll(test.script, "EXE", exe)
		translated := filepath.Join(root.Name(), filepath.FromSlash(test.below))
		if test.below == "-" {
			translated = ""
		}
		got, end := p.closed()
		want := []string{script, test.info, translated, cwd, filepath.Join(root.Name(), filepath.FromSlash(script))}
		if strings.Join(got, "\n") != strings.Join(want, "\n") || end.Code != 1000 {
			t.Errorf("%s: got %q, %v, want %q", path, got, end, want)
		}
	}
}

// status reads the answer to a request.
func (p *peer) status() int {
	p.t.Helper()
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		io.Copy(io.Discard, resp.Body)
	}
	return resp.StatusCode
}

// The order of what is checked before the upgrade.
func TestCommandDirOrder(t *testing.T) {
	t.Parallel()
	root := programs(t, "echo")
	for _, test := range []struct {
		h      *Handler
		path   string
		edit   func(*http.Request)
		status int
	}{
		{&Handler{}, "/none", withHeader("Sec-WebSocket-Key", "x"), 400},
		{&Handler{}, "/none", withHost("evil.example"), 403},
		{&Handler{}, "/none", withHeader("Origin", "http://evil.example"), 403},
		{&Handler{}, "/none", func(*http.Request) {}, 404},
		{&Handler{Limits: full()}, "/none", func(*http.Request) {}, 404},
		{&Handler{Limits: full()}, "/echo" + exe, func(*http.Request) {}, 429},
		{shutDown(), "/none", func(*http.Request) {}, 404},
	} {
		w := httptest.NewRecorder()
		r := upgradeRequest(test.edit)
		r.URL.Path = test.path
		inDir(test.h, root).ServeHTTP(w, r)
		if w.Code != test.status || test.h.sessions() != 0 {
			t.Errorf("%s: %d, want %d, %d sessions", test.path, w.Code, test.status, test.h.sessions())
		}
		if d := disclosed(w.Body.String()); d != nil || strings.Contains(w.Body.String(), root.Name()) {
			t.Errorf("%s: %q is in %q", test.path, d, w.Body)
		}
	}
}

// Only the log says why a file that is there cannot be started.
func TestCommandDirRefusalLogged(t *testing.T) {
	root := programs(t)
	for _, err := range []error{
		os.WriteFile(filepath.Join(root.Name(), "data.txt"), nil, 0o666),
		os.Mkdir(filepath.Join(root.Name(), "sub"), 0o777),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	h := inDir(&Handler{}, root)
	log := record(t, h)
	for path, want := range map[string]string{
		"/data.txt": `reason="not found (it is not executable)"`,
		"/sub":      `reason="not found (it is a directory)"`,
		"/none":     `reason="not found"`,
	} {
		r := upgradeRequest()
		r.URL.Path = path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 404 || w.Body.String() != "not found\n" {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
		if line := "path=" + path + " status=404 " + want; !strings.Contains(log.String(), line) {
			t.Errorf("not %q, but %s", line, log)
		}
	}
}

// A program that goes away between the lookup and the start.
func TestCommandDirRace(t *testing.T) {
	root := programs(t, "echo")
	h := inDir(&Handler{}, root)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(removing{w, filepath.Join(root.Name(), "echo"+exe)}, r)
	}))
	defer srv.Close()
	defer h.Shutdown(t.Context())
	connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/echo"+exe)).wantClose(Ending{1011, "command not found"})
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the place" })
}

// removing removes a file when the connection is about to be taken over, which
// is after the lookup.
type removing struct {
	http.ResponseWriter
	file string
}

func (r removing) Unwrap() http.ResponseWriter {
	os.Remove(r.file)
	return r.ResponseWriter
}

// A relative directory is that of the server's own directory, whatever Dir says.
func TestCommandDirRelative(t *testing.T) {
	dir := programs(t, "top/where")
	t.Chdir(dir.Name())
	root, err := os.OpenRoot("top")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	elsewhere := t.TempDir()
	srv := serve(t, inDir(&Handler{Dir: elsewhere}, root))
	got, _ := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/where"+exe+"/x")).closed()
	if len(got) != 5 || !sameDir(t, got[3], elsewhere) || !sameDir(t, filepath.Dir(got[4]), filepath.Join(dir.Name(), "top")) ||
		!sameDir(t, filepath.Dir(got[2]), filepath.Join(dir.Name(), "top")) {
		t.Errorf("got %q", got)
	}
}

func sameDir(t *testing.T, a, b string) bool {
	t.Helper()
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
