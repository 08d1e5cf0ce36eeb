package cmd

import (
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/site/client"
	"github.com/wsbridge/wsbridge/cmd/internal/site/livereload"
	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// A deadlined recorder notes that a time limit was set for the answer.
type deadlined struct {
	*httptest.ResponseRecorder
	limited bool
}

func (w *deadlined) SetWriteDeadline(time.Time) error {
	w.limited = true
	return nil
}

// Whatever a request meets first answers it, and what lies further out has its
// part in each answer.
func TestOnion(t *testing.T) {
	dir, programs := sitetest.Public(t), t.TempDir()
	for name, text := range map[string]string{"style.css": "program", "users": "program", ".wsbridge/livereload.js": "program"} {
		file := filepath.Join(programs, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		script := "#!/bin/sh\necho Content-Type: text/plain\necho\necho " + text
		if err := os.WriteFile(file, []byte(script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	o, _, status, stderr := parse("--staticdir="+dir, "--cgidir="+programs, "--spa", "--livereload", "--devconsole",
		"--header=X-All: all", "--header-ws=X-Kind: ws", "--header-http=X-Kind: http", "child", "echo", "0")
	if status != 0 {
		t.Fatal(stderr)
	}
	s := opened(t, o)
	https := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8443}
	for _, test := range []struct {
		name       string
		https      net.Addr
		host, path string
		header     []string
		status     int
		body       string // part of it
	}{
		{"a redirect", https, "localhost", "/style.css", nil, 301, "https://localhost:8443/style.css"},
		{"a redirect of a WebSocket", https, "localhost", "/", []string{"Upgrade", "websocket"}, 301, "https://localhost:8443/"},
		{"the Host before a redirect", https, "evil.example", "/", nil, 403, ""},
		{"the Host before pages", nil, "evil.example", "/style.css", nil, 403, ""},
		{"the Host before live reload", nil, "evil.example", livereload.Script, nil, 403, ""},
		{"the Host before a WebSocket", nil, "evil.example", "/", []string{"Upgrade", "websocket", "Connection", "upgrade",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}, 403, ""},
		{"a WebSocket before pages", nil, "localhost", "/style.css", []string{"Upgrade", "websocket"}, 400, ""},
		{"the console's question before a file", nil, "localhost", "/style.css", []string{"Wsbridge-Origin", "http://localhost"}, 204, ""},
		{"the console's question, refused", nil, "localhost", "/style.css", []string{"Wsbridge-Origin", "http://evil.example"}, 403, "origin not allowed"},
		{"the Host before the console's question", nil, "evil.example", "/", []string{"Wsbridge-Origin", "http://localhost"}, 403, "unknown host"},
		{"live reload before all pages", nil, "localhost", livereload.Script, nil, 200, "EventSource"},
		{"a program before a file", nil, "localhost", "/style.css", nil, 200, "program"},
		{"a program before the application", nil, "localhost", "/users", nil, 200, "program"},
		{"a file before the application", nil, "localhost", "/sub/", nil, 200, "sub"},
		{"a file before the console", nil, "localhost", "/app.js", nil, 200, "1"},
		{"a page that is loaded again", nil, "localhost", "/", nil, 200, "home</h1><script"},
		{"the application before the console", nil, "localhost", "/others", nil, 200, "home"},
		{"the console before \"not found\"", nil, "localhost", "/missing.html", nil, 200, "data-framing"},
		{"\"not found\", which is loaded again", nil, "localhost", "/missing.html", []string{"Sec-Fetch-Dest", "iframe"}, 404, "<script"},
		{"not found", nil, "localhost", "/missing.js", []string{"Sec-Fetch-Dest", "script"}, 404, "404 page not found\n"},
	} {
		if runtime.GOOS == "windows" && strings.HasPrefix(test.name, "a program") {
			continue // it takes another program
		}
		r := httptest.NewRequest("GET", test.path, nil)
		r.Host = test.host
		for i := 0; i < len(test.header); i += 2 {
			r.Header.Set(test.header[i], test.header[i+1])
		}
		w := &deadlined{ResponseRecorder: httptest.NewRecorder()}
		s.onion(timeouts{}.orDefaults(), test.https).ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Header().Get("Location")+w.Body.String(), test.body) {
			t.Errorf("%s: %d %v %.200q", test.name, w.Code, w.Header(), w.Body)
		}
		kind := "http"
		if r.Header.Get("Upgrade") != "" {
			kind = "ws"
		}
		if got := w.Header().Get("X-All") + " " + w.Header().Get("X-Kind"); got != "all "+kind {
			t.Errorf("%s: the headers are %q", test.name, got)
		}
		if !w.limited {
			t.Errorf("%s: a client may take as long as it likes", test.name)
		}
	}
}

// client.js is there for those who can use it, before all pages and without any.
func TestOnionClient(t *testing.T) {
	for _, test := range []struct {
		host   string
		args   []string
		status int
	}{
		{"localhost", []string{"--resume=1m", "--staticdir=" + sitetest.Public(t), "--spa", "child"}, 200},
		{"localhost", []string{"--resume=1m", "child"}, 200},
		{"localhost", []string{"--share", "child"}, 200},
		{"evil.example", []string{"--share", "child"}, 403},
		{"localhost", []string{"child"}, 426},
		{"localhost", []string{"--devconsole", "child"}, 200}, // the console
	} {
		o, _, status, stderr := parse(test.args...)
		if status != 0 {
			t.Fatal(stderr)
		}
		r := httptest.NewRequest("GET", client.Script, nil)
		r.Host = test.host
		w := httptest.NewRecorder()
		opened(t, o).onion(timeouts{}.orDefaults(), nil).ServeHTTP(w, r)
		isModule := strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript")
		if w.Code != test.status || isModule != (test.status == 200 && test.args[0] != "--devconsole") {
			t.Errorf("%s for %q: %d %q", test.host, test.args, w.Code, w.Header())
		}
	}
}

// The application comes before the console and after the files; what is no
// CGI program is not shown in its place.
func TestSPABesideOthers(t *testing.T) {
	dir := sitetest.Public(t)
	for _, test := range []struct {
		path, dest string
		args       []string
		want       string // in the body
	}{
		{"/users", "document", []string{"--devconsole"}, "home"},
		{"/missing.html", "document", []string{"--devconsole"}, "data-framing"},
		{"/list/file", "", []string{"--cgidir=" + filepath.Join(dir, "list")}, "home"},
		{"/list/file.txt", "", []string{"--cgidir=" + filepath.Join(dir, "list")}, "404"},
	} {
		r := httptest.NewRequest("GET", test.path, nil)
		r.Host = "localhost"
		r.Header.Set("Sec-Fetch-Dest", test.dest)
		w := httptest.NewRecorder()
		files(t, append([]string{"--staticdir=" + dir, "--spa"}, test.args...)...).ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s %q: %d %q", test.path, test.args, w.Code, w.Body)
		}
	}
}
