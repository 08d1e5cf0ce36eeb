package cmd_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// interopLimit bounds every wait; only a test that fails ever waits so long.
const interopLimit = 2 * time.Minute

// TestInterop lets WebSocket clients that others wrote talk to the real
// binary, without and with TLS: what our own client would forgive, one of these
// may not.
func TestInterop(t *testing.T) {
	binary := interopBuild(t) // and flags
	peers := []struct {
		name  string
		start func(t *testing.T) interopPeer
	}{
		{"python-websockets", interopPython},
		{"node-ws", interopNode},
		{"browser", interopBrowser},
	}
	scenarios := []struct {
		name string
		run  func(t *testing.T, binary []string, peer interopPeer)
	}{
		{"echo", interopEcho},
		{"compressed echo", interopCompressedEcho},
		{"exit status", interopExitStatus},
		{"burst before exit", interopBurst},
		{"client leaves", interopLeave},
		{"server shuts down", interopShutdown},
	}
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			peer := p.start(t)
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) { s.run(t, binary, peer) })
				t.Run(s.name+", over TLS", func(t *testing.T) { s.run(t, append(binary, "--ssl"), peer) })
			}
		})
	}
}

// Scenarios.

var interopLines = []string{
	"hello",
	"Grüße, 世界 🌍",
	"",
	"  <&> \"quoted\" \\n \t ",
	strings.Repeat("0123456789", 7_000),
	strings.Repeat("é€🌍", 10_000),
	"last",
}

func interopEcho(t *testing.T, binary []string, peer interopPeer) {
	s := interopServe(t, binary, "echo")
	got := interopRun(t, peer, s, interopSpec{Send: interopLines, Leave: len(interopLines)})
	interopSameLines(t, got.Messages, interopLines)
	interopClosed(t, got, 1000, "")
	if got.Extensions != "" {
		t.Errorf("extensions %q were agreed on", got.Extensions)
	}
	// A page that came by HTTP/2 opens a connection of its own for its WebSocket.
	want := "http/1.1"
	if strings.HasPrefix(s.url, "wss:") {
		want = "h2"
	}
	if got.PageBy != "" && got.PageBy != want {
		t.Errorf("the page came by %s, want %s", got.PageBy, want)
	}
}

// All of the peers offer compression, and use it.
func interopCompressedEcho(t *testing.T, binary []string, peer interopPeer) {
	// A line that leaves in several frames, and more than one of each kind.
	send := append(slices.Concat(interopLines, interopLines), strings.Repeat("a long line, ", 200_000))
	s := interopServe(t, append(slices.Clone(binary), "--compress", "--maxframesize=4000000"), "echo")
	got := interopRun(t, peer, s, interopSpec{Send: send, Leave: len(send)})
	interopSameLines(t, got.Messages, send)
	interopClosed(t, got, 1000, "")
	if !strings.HasPrefix(got.Extensions, "permessage-deflate") {
		t.Errorf("extensions %q were agreed on", got.Extensions)
	}
}

func interopExitStatus(t *testing.T, binary []string, peer interopPeer) {
	s := interopServe(t, binary, "exit3")
	got := interopRun(t, peer, s, interopSpec{})
	interopSameLines(t, got.Messages, []string{"bye"})
	interopClosed(t, got, 4003, "exit status 3")
}

func interopBurst(t *testing.T, binary []string, peer interopPeer) {
	s := interopServe(t, binary, "burst")
	// The child reads the first line only: the rest is unread when it exits.
	unread := strings.Repeat("x", 50_000)
	got := interopRun(t, peer, s, interopSpec{Send: []string{"go", unread, unread}})
	want := make([]string, interopBurstLines)
	for i := range want {
		want[i] = fmt.Sprintf("line %d", i)
	}
	interopSameLines(t, got.Messages, want)
	interopClosed(t, got, 1000, "")
}

func interopLeave(t *testing.T, binary []string, peer interopPeer) {
	l := interopListen(t)
	s := interopServe(t, binary, "hold", l.addr)
	got := interopRun(t, peer, s, interopSpec{Leave: 1})
	interopSameLines(t, got.Messages, []string{"ready"})
	interopClosed(t, got, 1000, "")
	l.waitEnd(t)
}

func interopShutdown(t *testing.T, binary []string, peer interopPeer) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGTERM")
	}
	l := interopListen(t)
	s := interopServe(t, binary, "hold", l.addr)
	stopped := make(chan error, 1)
	go func() {
		if err := l.waitStart(); err != nil {
			stopped <- err
			return
		}
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			stopped <- err
			return
		}
		stopped <- s.wait()
	}()
	got := interopRun(t, peer, s, interopSpec{})
	interopSameLines(t, got.Messages, []string{"ready"})
	interopClosed(t, got, 1001, "server shutting down")
	if err := <-stopped; err != nil {
		t.Errorf("the server after SIGTERM: %v, want exit status 0", err)
	}
	l.waitEnd(t)
}

func interopRun(t *testing.T, peer interopPeer, s *interopServer, spec interopSpec) interopResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), interopLimit)
	defer cancel()
	if spec.Send == nil {
		spec.Send = []string{} // [] and not null in JSON
	}
	got, err := peer(ctx, s, spec)
	if err != nil {
		t.Fatalf("%v\nThe server said:\n%s", err, s.log())
	}
	return got
}

func interopSameLines(t *testing.T, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("message %d is %.80q (%d bytes), want %.80q (%d bytes)",
				i, got[i], len(got[i]), want[i], len(want[i]))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("got %d messages, want %d", len(got), len(want))
	}
}

func interopClosed(t *testing.T, got interopResult, code int, reason string) {
	t.Helper()
	if got.Code != code || got.Reason != reason {
		t.Errorf("closed with %d %q, want %d %q", got.Code, got.Reason, code, reason)
	}
}

// The server.

func interopBuild(t *testing.T) []string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "wsbridge")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/wsbridge/wsbridge")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return []string{binary}
}

type interopServer struct {
	cmd  *exec.Cmd
	url  string // ws://127.0.0.1:PORT/, or wss
	page string // http://127.0.0.1:PORT/, or https

	exited chan struct{} // closed after exitErr is set
	err    error

	mu     sync.Mutex
	stderr bytes.Buffer
}

var interopListening = regexp.MustCompile(`listening on (ws(s?://127\.0\.0\.1:\d+/))`)

// interopServe starts the binary on a free port, with this test binary as
// its child, and ends it with the test.
func interopServe(t *testing.T, binary []string, child ...string) *interopServer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(interopPage), 0o644); err != nil {
		t.Fatal(err)
	}
	args := slices.Concat(binary[1:], []string{"--port=0", "--staticdir=" + dir, "--", self, interopChildArg}, child)
	s := &interopServer{cmd: exec.Command(binary[0], args...), exited: make(chan struct{})}
	out, in := io.Pipe()
	s.cmd.Stderr = in
	s.cmd.Stdout = in
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		in.Close()
		close(s.exited)
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		<-s.exited
	})
	listening := make(chan []string, 1)
	go func() {
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			s.mu.Lock()
			s.stderr.WriteString(line)
			s.mu.Unlock()
			if m := interopListening.FindStringSubmatch(line); m != nil {
				listening <- m
			}
			if err != nil {
				return
			}
		}
	}()
	select {
	case m := <-listening:
		s.url, s.page = m[1], "http"+m[2]
	case <-s.exited:
		t.Fatalf("the server ended at its start: %v\n%s", s.err, s.log())
	case <-time.After(interopLimit):
		t.Fatalf("the server does not say where it listens:\n%s", s.log())
	}
	return s
}

func (s *interopServer) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

func (s *interopServer) wait() error {
	select {
	case <-s.exited:
		return s.err
	case <-time.After(interopLimit):
		return errors.New("still running")
	}
}

// The child.

const (
	interopChildArg   = "interop-child"
	interopBurstLines = 20_000
)

// The test binary is its own child: no script to install, and the same on
// every system. This is an init and not a test, because the child's stdout
// must carry nothing of package testing's.
func init() {
	if len(os.Args) < 3 || os.Args[1] != interopChildArg {
		return
	}
	out := bufio.NewWriter(os.Stdout)
	switch os.Args[2] {
	case "echo":
		io.Copy(os.Stdout, os.Stdin)
	case "exit3":
		fmt.Println("bye")
		os.Exit(3)
	case "burst":
		for b := make([]byte, 1); b[0] != '\n'; {
			if _, err := os.Stdin.Read(b); err != nil {
				os.Exit(1)
			}
		}
		for i := range interopBurstLines {
			fmt.Fprintf(out, "line %d\n", i)
		}
		out.Flush()
	case "hold":
		// A byte on the connection tells the test that the line is
		// printed, and the connection's end that the child is gone. It
		// does not end by itself.
		conn, err := net.Dial("tcp", os.Args[3])
		if err != nil {
			os.Exit(1)
		}
		fmt.Println("ready")
		conn.Write([]byte{'.'})
		conn.Read(make([]byte, 1))
	}
	os.Exit(0)
}

// An interopListener is what the child "hold" connects to.
type interopListener struct {
	addr    string
	started chan struct{}
	ended   chan struct{}
}

func interopListen(t *testing.T) *interopListener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &interopListener{addr: ln.Addr().String(), started: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { conn.Close() })
		b := make([]byte, 1)
		if _, err := conn.Read(b); err != nil {
			return
		}
		close(l.started)
		conn.Read(b)
	}()
	t.Cleanup(func() {
		ln.Close()
		<-l.ended
	})
	return l
}

func (l *interopListener) waitStart() error {
	select {
	case <-l.started:
		return nil
	case <-time.After(interopLimit):
		return errors.New("the child does not start")
	}
}

func (l *interopListener) waitEnd(t *testing.T) {
	t.Helper()
	select {
	case <-l.ended:
	case <-time.After(interopLimit):
		t.Error("the child is still running")
	}
}
