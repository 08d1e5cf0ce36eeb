//go:build unix

package cmd

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// fullPipe is a pipe that has no room left, as one that nobody reads.
func fullPipe(t *testing.T) (w *os.File) {
	t.Helper()
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fds[0]) })
	w = os.NewFile(uintptr(fds[1]), "|")
	t.Cleanup(func() { w.Close() })
	if err := syscall.SetNonblock(fds[1], true); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{4096, 1} {
		for err := error(nil); err == nil; {
			_, err = syscall.Write(fds[1], make([]byte, size))
		}
	}
	if err := syscall.SetNonblock(fds[1], false); err != nil {
		t.Fatal(err)
	}
	return w
}

// A second signal ends connect at once, here while it waits for a log that nobody
// reads.
func TestConnectSecondSignal(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ready, closed := make(chan error, 1), make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			ready <- err
			closed <- err
			return
		}
		defer func() { _ = c.CloseNow() }()
		_, _, err = c.Read(ctx)
		ready <- err
		_, _, err = c.Read(ctx)
		closed <- err
	}))
	defer srv.Close()

	cmd := exec.CommandContext(ctx, "wsbridge", "connect", "ws://"+strings.TrimPrefix(srv.URL, "http://"), "--",
		"sh", "-c", "echo complaint >&2; echo ready; exec cat")
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = fullPipe(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := <-ready; err != nil {
		t.Error(err)
	}
	_ = cmd.Process.Signal(os.Interrupt)
	if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Error(err)
	}
	ended := begin(func() { _ = cmd.Wait() })
	for waiting := true; waiting; { // one that comes too soon counts as the first
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			waiting = false
		case <-time.After(10 * time.Millisecond):
		}
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
}
