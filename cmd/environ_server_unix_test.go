//go:build unix

package cmd

import (
	"cmp"
	"crypto/tls"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// An environServer is a wsbridge over TCP, TLS or a unix socket.
type environServer struct{ over, where string }

// socketDir is a directory whose path leaves room for the name of a socket.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "wsb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func serveEnviron(t *testing.T, over string, env []string, args ...string) environServer {
	t.Helper()
	s, _ := serveAs(t, over, env, args...)
	return s
}

// serveProcess is serveEnviron over TCP, with the process.
func serveProcess(t *testing.T, args ...string) (environServer, *exec.Cmd) {
	t.Helper()
	return serveAs(t, "tcp", os.Environ(), args...)
}

func serveAs(t *testing.T, over string, env []string, args ...string) (environServer, *exec.Cmd) {
	t.Helper()
	where := "--port=0"
	if over == "unix" {
		where = "--unixsocket=" + filepath.Join(socketDir(t), "s")
	}
	log := newWatched()
	cmd := exec.Command("wsbridge", append([]string{where}, args...)...)
	reports, reporting, err := newReports()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reports.close)
	cmd.Env, cmd.Stderr = append(slices.Clip(env), reporting), log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
	})
	place, ok := reports.listening()
	if !ok {
		t.Fatalf("the server does not listen: %s", log.text())
	}
	return environServer{over, place.Address}, cmd
}

func (s environServer) connect(t *testing.T) wire {
	t.Helper()
	network := "tcp"
	if s.over == "unix" {
		network = "unix"
	}
	nc, err := net.Dial(network, s.where)
	if err != nil {
		t.Fatal(err)
	}
	if s.over == "tls" {
		nc = tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
	}
	return newWire(t, nc)
}

// ask opens a WebSocket over w and returns what the command was told, and what
// it should have been told of the request.
func (r environRequest) ask(w wire) (got, want environ) {
	w.t.Helper()
	_, serverPort, _ := net.SplitHostPort(w.RemoteAddr().String())
	_, clientPort, _ := net.SplitHostPort(w.LocalAddr().String())
	host := cmp.Or(r.host, w.RemoteAddr().String())
	want = environ{
		"AUTH_TYPE":                  "",
		"WEBSOCKET_PROTOCOL":         "",
		"CONTENT_LENGTH":             "",
		"CONTENT_TYPE":               "",
		"GATEWAY_INTERFACE":          "CGI/1.1",
		"HTTP_CONNECTION":            "Upgrade",
		"HTTP_HOST":                  host,
		"HTTP_SEC_WEBSOCKET_KEY":     "dGhlIHNhbXBsZSBub25jZQ==",
		"HTTP_SEC_WEBSOCKET_VERSION": "13",
		"HTTP_UPGRADE":               "websocket",
		"PATH_INFO":                  "/",
		"PATH_TRANSLATED":            "/",
		"QUERY_STRING":               "",
		"REMOTE_ADDR":                "127.0.0.1",
		"REMOTE_HOST":                "127.0.0.1",
		"REMOTE_IDENT":               "",
		"REMOTE_PORT":                clientPort,
		"REMOTE_USER":                "",
		"REQUEST_METHOD":             "GET",
		"REQUEST_URI":                "/",
		"SCRIPT_NAME":                "/",
		"SERVER_NAME":                "127.0.0.1",
		"SERVER_PORT":                serverPort,
		"SERVER_PROTOCOL":            "HTTP/1.1",
		"SERVER_SOFTWARE":            "wsbridge/" + versionName(),
	}
	maps.Copy(want, r.want)

	lines := append([]string{"GET " + r.target + " HTTP/1.1", "Host: " + host}, r.headers...)
	w.say(strings.Join(lines, "\r\n") + "\r\n" + upgradeLines + "\r\n")
	if status, text := w.answer("GET"); status != 101 {
		w.t.Fatalf("%s %q: %s", r.target, r.headers, text)
	}
	got = environ{}
	for {
		first, payload := w.frame()
		if first == 0x88 {
			return got, want
		}
		pair, err := strconv.Unquote(string(payload))
		if err != nil {
			w.t.Fatal(err)
		}
		name, value, _ := strings.Cut(pair, "=")
		if old, twice := got[name]; twice {
			w.t.Errorf("%s is set twice, to %q and %q", name, old, value)
		}
		got[name] = value
	}
}

// onlyDefaults keeps the variables that are passed on this system unasked.
func onlyDefaults(vars environ) environ {
	names := strings.Split(defaultPassEnv(runtime.GOOS), ",")
	maps.DeleteFunc(vars, func(name, _ string) bool { return !slices.Contains(names, name) })
	return vars
}
