package cmd

import (
	"context"
	"fmt"
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

// TestInterop lets WebSocket clients that others wrote talk to wsbridge, without and
// with TLS: what our own client would forgive, one of these may not.
func TestInterop(t *testing.T) {
	t.Parallel()
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
		run  func(t *testing.T, flags []string, peer interopPeer)
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
			t.Parallel()
			peer := p.start(t)
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) { s.run(t, nil, peer) })
				t.Run(s.name+", over TLS", func(t *testing.T) { s.run(t, []string{"--ssl"}, peer) })
			}
		})
	}
}

// Scenarios.

var interopLines = sync.OnceValue(func() []string {
	return []string{
		"hello",
		"Grüße, 世界 🌍",
		"",
		"  <&> \"quoted\" \\n \t ",
		strings.Repeat("0123456789", 7_000),
		strings.Repeat("é€🌍", 10_000),
		"last",
	}
})

func interopEcho(t *testing.T, flags []string, peer interopPeer) {
	s := interopServe(t, flags, "echo")
	got := interopRun(t, peer, s, interopSpec{Send: interopLines(), Leave: len(interopLines())})
	interopSameLines(t, got.Messages, interopLines())
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
func interopCompressedEcho(t *testing.T, flags []string, peer interopPeer) {
	// A line that leaves in several frames, and more than one of each kind.
	send := append(slices.Concat(interopLines(), interopLines()), strings.Repeat("a long line, ", 200_000))
	s := interopServe(t, append(slices.Clone(flags), "--compress", "--maxframesize=4000000"), "echo")
	got := interopRun(t, peer, s, interopSpec{Send: send, Leave: len(send)})
	interopSameLines(t, got.Messages, send)
	interopClosed(t, got, 1000, "")
	if !strings.HasPrefix(got.Extensions, "permessage-deflate") {
		t.Errorf("extensions %q were agreed on", got.Extensions)
	}
}

func interopExitStatus(t *testing.T, flags []string, peer interopPeer) {
	s := interopServe(t, flags, "exit3")
	got := interopRun(t, peer, s, interopSpec{})
	interopSameLines(t, got.Messages, []string{"bye"})
	interopClosed(t, got, 4003, "exit status 3")
}

func interopBurst(t *testing.T, flags []string, peer interopPeer) {
	s := interopServe(t, flags, "burst")
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

func interopLeave(t *testing.T, flags []string, peer interopPeer) {
	l := interopListen(t)
	s := interopServe(t, flags, "hold", l.addr)
	got := interopRun(t, peer, s, interopSpec{Leave: 1})
	interopSameLines(t, got.Messages, []string{"ready"})
	interopClosed(t, got, 1000, "")
	l.waitEnd(t)
}

func interopShutdown(t *testing.T, flags []string, peer interopPeer) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGTERM")
	}
	l := interopListen(t)
	s := interopServe(t, flags, "hold", l.addr)
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
		t.Fatalf("%v\nThe server said:\n%s", err, s.output.text())
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
