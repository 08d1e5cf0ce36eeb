package process

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func init() { children["splice"] = childSplice }

// childSplice splices its input to a socket that nobody reads: then it has the
// lock of the pipe and does not come back.
func childSplice([]string) {
	signal.Ignore()
	time.AfterFunc(20*time.Second, func() { os.Exit(1) })
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	for err == nil {
		_, err = syscall.Splice(0, nil, ends[0], nil, pipeSize, 0)
	}
	fmt.Println(err)
}

// A child can make the one wait who writes to it, but nobody else.
func TestLockedPipe(t *testing.T) {
	p := start(t, command("splice"))
	var written atomic.Int64
	go func() {
		for {
			n, err := p.Stdin.TryWrite(make([]byte, 1<<10))
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	}()
	for !stuck(p) {
		time.Sleep(10 * time.Millisecond)
	}
	for last := int64(-1); last != written.Load(); {
		last = written.Load()
		time.Sleep(100 * time.Millisecond)
		runtime.GC() // waits for everybody who runs
	}
	if p.leader.exited() {
		t.Error("everybody has waited for the child")
	}
	if state := p.End(t.Context()); state != (State{Signal: syscall.SIGKILL}) {
		t.Error(state)
	}
}

// Close does not wait for a child that holds the lock of the pipe, whether
// somebody writes or nobody does.
func TestCloseLockedPipe(t *testing.T) {
	p := start(t, command("splice"))
	go func() {
		for !stuck(p) {
			if _, err := p.Stdin.TryWrite(make([]byte, 1<<10)); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	for !stuck(p) {
		time.Sleep(10 * time.Millisecond)
	}
	if err := p.Stdin.Close(); err != nil {
		t.Error(err)
	}
	if p.leader.exited() {
		t.Error("it was waited for the child")
	}
	if state := p.End(t.Context()); state != (State{Signal: syscall.SIGKILL}) {
		t.Error(state)
	}
}

// stuck reports whether a child waits for its socket, as splice(2) does with the
// lock of the pipe.
func stuck(p *Process) bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/wchan", p.Pid()))
	for _, task := range tasks {
		if b, _ := os.ReadFile(task); strings.HasPrefix(string(b), "sock_") {
			return true
		}
	}
	return false
}
