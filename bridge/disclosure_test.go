package bridge

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// disclosed names what a text says of the machine that is nobody's business:
// a path, a variable, the version of a program or a library.
func disclosed(s string) []string {
	cwd, _ := os.Getwd()
	var found []string
	for _, secret := range []string{
		cwd, self, filepath.Base(self), filepath.Clean(os.TempDir()), childVar, "GORACE", "PATH=",
		runtime.Version(), "go1.", "net/http", "Go-http", "golang", "coder", "goroutine", "panic", "wsbridge", ".go:", "0x",
		"no-such", "fork/exec", "exec:", "errno", "read tcp", "write tcp", "syscall",
	} {
		if strings.Contains(strings.ToLower(s), strings.ToLower(secret)) {
			found = append(found, secret)
		}
	}
	return found
}

// What closes a session says why, and nothing of the machine.
func TestCloseReasonsDiscloseNothing(t *testing.T) {
	notExecutable := filepath.Join(t.TempDir(), "no-such-program")
	if err := os.WriteFile(notExecutable, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := make([]byte, 126)
	commands := map[string][]string{
		"a path that is not there": {filepath.Join(t.TempDir(), "no-such-program")},
		"a name that is not there": {"no-such-program"},
		"not executable":           {notExecutable},
		"a directory":              {os.TempDir()},
		"no command":               nil,
	}
	for name, command := range commands {
		checkClose(t, name, &Handler{Command: command}, nil, 1011)
	}
	checkClose(t, "a directory that is not there", child(&Handler{Dir: filepath.Join(t.TempDir(), "no-such-dir")}, "echo"), nil, 1011)
	checkClose(t, "an argument with a NUL", child(&Handler{}, "echo", "no-such\x00"), nil, 1011)
	checkClose(t, "an environment too large", child(&Handler{Env: []string{"A=" + strings.Repeat("a", 4<<20)}}, "echo"), nil, 1011)
	checkClose(t, "exit status", child(&Handler{}, "exit", "3"), nil, 4003)

	frame := func(first byte, payload []byte) []byte { return appendFrame(nil, first, payload, true) }
	for _, test := range []struct {
		name  string
		frame []byte
		code  int
	}{
		{"not masked", appendFrame(nil, finBit|opText, []byte("a"), false), 1002},
		{"a reserved bit", frame(finBit|0x40|opText, nil), 1002},
		{"all reserved bits", frame(finBit|0x70|opText, nil), 1002},
		{"a reserved opcode", frame(finBit|3, nil), 1002},
		{"a reserved control opcode", frame(finBit|11, nil), 1002},
		{"a long ping", frame(finBit|opPing, long), 1002},
		{"a fragmented ping", frame(opPing, nil), 1002},
		{"a continuation of nothing", frame(finBit|opContinuation, nil), 1002},
		{"a message within a message", append(frame(opText, nil), frame(opText, nil)...), 1002},
		{"a close of one byte", frame(finBit|opClose, []byte{3}), 1002},
		{"a close with a bad code", closing(1005, ""), 1002},
		{"2^63 bytes", []byte{finBit | opText, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, 1002},
		{"2^62 bytes", append([]byte{finBit | opText, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 2000)...), 1009},
		{"too big", frame(finBit|opText, bytes.Repeat([]byte("a"), 2000)), 1009},
		{"not UTF-8", frame(finBit|opText, []byte("\xff")), 1007},
	} {
		checkClose(t, test.name, child(&Handler{Bounds: Bounds{MaxMessageSize: 1000}}, "echo"), test.frame, test.code)
	}

	h := child(&Handler{}, "echo")
	p := connect(t, serve(t, h))
	go h.Shutdown(t.Context())
	if _, end := p.closed(); end.Code != 1001 || disclosed(end.Reason) != nil {
		t.Errorf("shutdown: %v has %q in it", end, disclosed(end.Reason))
	}
}

func checkClose(t *testing.T, name string, h *Handler, write []byte, code int) {
	t.Helper()
	p := connect(t, serve(t, h))
	p.write(write)
	for {
		f, err := p.frame()
		if err != nil {
			t.Errorf("%s: no close frame: %v", name, err)
			return
		}
		if f.op != opClose {
			continue
		}
		p.Write(appendFrame(nil, finBit|opClose, f.payload, true))
		reason := string(f.payload[2:])
		if got := int(f.payload[0])<<8 | int(f.payload[1]); got != code {
			t.Errorf("%s: closed with %d %s, want %d", name, got, reason, code)
		}
		if d := disclosed(reason); d != nil {
			t.Errorf("%s: the reason %q has %q in it", name, reason, d)
		}
		return
	}
}

// What a Handler answers itself, and the answer of the library to a handshake.
func TestRefusalsDiscloseNothing(t *testing.T) {
	for _, test := range []struct {
		h      *Handler
		edit   func(*http.Request)
		status int
	}{
		{new(Handler), func(r *http.Request) { r.ProtoMinor = 0 }, 426},
		{new(Handler), func(r *http.Request) { r.Method = "POST" }, 405},
		{new(Handler), withHeader("Connection"), 400},
		{new(Handler), withHeader("Sec-WebSocket-Version", "8"), 426},
		{new(Handler), withHeader("Sec-WebSocket-Key", "x"), 400},
		{new(Handler), func(r *http.Request) { r.ContentLength = 1 }, 400},
		{new(Handler), func(r *http.Request) { r.URL.Path = "/\x00" }, 400},
		{new(Handler), withHost("a b"), 400},
		{new(Handler), withHost("evil.example"), 403},
		{new(Handler), withHeader("Origin", "http://evil.example"), 403},
		{new(Handler), withHeader("Origin", "a", "b"), 400},
		{new(Handler), withHeader("Upgrade"), 426},
		{&Handler{Limits: full()}, func(*http.Request) {}, 429},
		{shutDown(), func(*http.Request) {}, 503},
	} {
		w := httptest.NewRecorder()
		test.h.Command = []string{self}
		r := upgradeRequest(test.edit)
		test.h.ServeHTTP(w, r)
		answer, err := httputil.DumpResponse(w.Result(), true)
		if err != nil {
			t.Fatal(err)
		}
		if w.Code != test.status {
			t.Errorf("%d, want %d: %s", w.Code, test.status, answer)
		}
		if d := disclosed(string(answer)); d != nil {
			t.Errorf("%d: %q is in the answer\n%s", w.Code, d, answer)
		}
	}

	srv := serve(t, child(&Handler{}, "exit", "0"))
	nc, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(testLimit))
	fmt.Fprint(nc, handshakeFor(srv, "/"))
	var head strings.Builder
	if _, err := http.ReadResponse(bufio.NewReader(io.TeeReader(nc, &head)), nil); err != nil {
		t.Fatal(err)
	}
	if d := disclosed(head.String()); d != nil {
		t.Errorf("%q is in the handshake\n%s", d, head.String())
	}
}
