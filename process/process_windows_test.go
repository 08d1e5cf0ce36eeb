package process

import (
	"bufio"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

func openFiles() int { return 0 }

func noChild() error { return nil }

func leaveGroup(*exec.Cmd) {}

func fill(*os.File) int { return 0 }

// A watched is a process that a child of ours has started.
type watched struct{ h windows.Handle }

func watch(t *testing.T, pid int) watched {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		windows.TerminateProcess(h, 1)
		windows.CloseHandle(h)
	})
	return watched{h}
}

func (w watched) expectGone(t *testing.T) {
	t.Helper()
	if event, err := windows.WaitForSingleObject(w.h, uint32(limit.Milliseconds())); event != windows.WAIT_OBJECT_0 {
		t.Errorf("a process is left: %v, %v", event, err)
	}
}

func TestTerminate(t *testing.T) {
	p := start(t, command("deaf"))
	expectLine(t, bufio.NewReader(p.Stdout), "ready")
	if state := p.End(t.Context()); state != (State{Status: 128 + int(syscall.SIGKILL)}) {
		t.Error(state)
	}
}

func TestTryWriteNothing(t *testing.T) {
	p := start(t, command("cat"))
	if n, err := p.Stdin.TryWrite([]byte("x")); n != 0 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if n, err := p.Stdin.Write([]byte("x")); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}
