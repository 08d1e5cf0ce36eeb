//go:build unix

package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// openFiles counts the open file descriptors.
func openFiles() (n int) {
	var st syscall.Stat_t
	for fd := range 4096 {
		if syscall.Fstat(fd, &st) == nil {
			n++
		}
	}
	return n
}

// noChild fails while there is a child, running or not.
func noChild() error {
	pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	if err != syscall.ECHILD {
		return fmt.Errorf("a child is left: wait4 says %d, %v", pid, err)
	}
	return nil
}

func leaveGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// A watched is a process that a child of ours has started.
type watched int

// watch kills the process at the end of the test, if it is still there.
func watch(t *testing.T, pid int) watched {
	if pid <= 1 {
		t.Fatal("no such process: ", pid)
	}
	w := watched(pid)
	t.Cleanup(func() {
		if w.runs() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return w
}

// runs reports whether the process is there and no zombie: how soon those
// are reaped that lost their parent is not our business.
func (w watched) runs() bool {
	if syscall.Kill(int(w), 0) == syscall.ESRCH {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w)) // Linux
	if err != nil {
		return syscall.Kill(int(w), 0) != syscall.ESRCH
	}
	state := stat[bytes.LastIndexByte(stat, ')')+2] // proc_pid_stat(5)
	return state != 'Z' && state != 'X'
}

func (w watched) expectGone(t *testing.T) {
	t.Helper()
	if !eventually(func() bool { return !w.runs() }) {
		t.Errorf("process %d is left", w)
	}
}

// fill writes to a pipe until it is full and tells how much that was.
func fill(f *os.File) (n int) {
	fd := int(f.Fd())
	syscall.SetNonblock(fd, true)
	b := pattern(1 << 20)
	for {
		m, err := syscall.Write(fd, b[n:])
		if err != nil {
			return n
		}
		n += m
	}
}

// sh is a shell that runs script.
func sh(script string) *Command {
	return &Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: os.Environ()}
}
