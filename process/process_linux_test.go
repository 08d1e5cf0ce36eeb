package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func init() {
	children["server"] = childServer
	children["flags"] = childFlags
	children["splice"] = childSplice
}

// startWithoutPidfd is start as on a system that has no pidfds.
func startWithoutPidfd(t testing.TB, c *Command) *Process {
	t.Helper()
	p := start(t, c)
	if p.leader.pidfd == nil {
		t.Skip("there are no pidfds on this system")
	}
	p.leader.unwatch()
	p.leader.pidfd, p.leader.fd = nil, -1
	p.leader.watch()
	return p
}

func TestWithoutPidfd(t *testing.T) {
	t.Run("Wait", func(t *testing.T) { testWait(t, startWithoutPidfd) })
	t.Run("WaitRace", func(t *testing.T) { testWaitRace(t, startWithoutPidfd) })
	t.Run("End", func(t *testing.T) {
		p := startWithoutPidfd(t, command("deaf"))
		expectLine(t, bufio.NewReader(p.Stdout), "ready")
		if state := p.End(t.Context()); state != (State{Signal: syscall.SIGINT}) {
			t.Error(state)
		}
	})
}

// Before Linux 5.3 a pidfd cannot be polled, like a file on disk.
func TestPidfdWithoutPoll(t *testing.T) {
	p := start(t, command("cat"))
	if p.leader.pidfd == nil {
		t.Skip("there are no pidfds on this system")
	}
	p.leader.unwatch()
	fd, err := syscall.Open("/proc/self/exe", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	p.leader.pidfd, p.leader.fd = nil, fd
	p.leader.watch()
	if err := p.Wait(done); err == nil {
		t.Error("the child was taken for one that exited")
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != syscall.EBADF {
		t.Errorf("the pidfd is left open: %v", err)
	}
	p.Stdin.Close()
	wait(t, p)
}

// The exit counts more than ctx also when ctx has come first to the poller.
func TestExitBeatsDeadline(t *testing.T) {
	p := start(t, command("exit", "0"))
	wait(t, p)
	if p.leader.pidfd == nil {
		t.Skip("there are no pidfds on this system")
	}
	p.leader.pidfd.SetReadDeadline(time.Unix(0, 1))
	if err := p.Wait(done); err != nil {
		t.Error(err)
	}
}

func TestWaitTakesNoThread(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	before := threads(t)
	const n = 300
	exited := make(chan error, n)
	var all []*Process
	for range n {
		p := start(t, &Command{Path: sleep, Args: []string{"sleep", "1000"}})
		if p.leader.pidfd == nil {
			t.Skip("there are no pidfds on this system")
		}
		go func() { exited <- p.Wait(t.Context()) }()
		all = append(all, p)
	}
	if more := threads(t) - before; more > n/10 {
		t.Errorf("%d children take %d threads", n, more)
	}
	for _, p := range all {
		syscall.Kill(p.Pid(), syscall.SIGKILL)
	}
	for range n {
		if err := receive(t, exited); err != nil {
			t.Fatal(err)
		}
	}
}

func threads(t *testing.T) int {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

func childFlags([]string) {
	for fd := range uintptr(3) {
		flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
		fmt.Println(flags&syscall.O_NONBLOCK != 0)
	}
}

// Programs expect a standard input and output that block.
func TestPipesBlock(t *testing.T) {
	p := start(t, command("flags"))
	if got, want := receive(t, collect(p.Stdout)), "false\nfalse\nfalse\n"; got != want {
		t.Errorf("non-blocking: got %q, want %q", got, want)
	}
}

// childServer has a child, and is killed.
func childServer([]string) {
	p, err := command("deaf").Start()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	bufio.NewReader(p.Stdout).ReadString('\n')
	fmt.Println(p.Pid())
	select {}
}

func TestServerIsKilled(t *testing.T) {
	p := start(t, command("server"))
	child := watch(t, atoi(readLine(t, bufio.NewReader(p.Stdout))))
	if !child.runs() {
		t.Fatal("there is no child")
	}
	if err := syscall.Kill(p.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	child.expectGone(t)
	wait(t, p)
	if state := p.End(done); state != (State{Signal: syscall.SIGKILL}) {
		t.Error(state)
	}
}

// A widened pipe takes more than others before its writer waits; how many are
// widened at once has a limit, and what was closed counts no more.
func TestWiden(t *testing.T) {
	var all []*Output
	for range maxWide {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		o := newOutput(r)
		defer o.close()
		if !o.Widen() {
			t.Skip("this user's pipes hold as much as they may")
		}
		if all = append(all, o); len(all) > 1 {
			continue
		}
		if n, err := w.Write(make([]byte, wideSize)); n != wideSize || err != nil {
			t.Fatalf("it took %d bytes: %v", n, err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	o := newOutput(r)
	defer o.close()
	if o.Widen() {
		t.Error("there is no limit")
	}
	if err := all[0].close(); err != nil {
		t.Fatal(err)
	}
	if !o.Widen() {
		t.Error("one that was closed still counts")
	}
}

// The pipe to a child that does not keep up is widened, and counts no more
// when it is closed, however often.
func TestWidenInput(t *testing.T) {
	_, w := pipe(t)
	before := widened.Load()
	in := newInput(w)
	n, err := in.TryWrite(make([]byte, 2*wideSize))
	if n == pipeSize {
		t.Skip("this user's pipes hold as much as they may")
	}
	if n != wideSize || err != nil {
		t.Errorf("it took %d bytes: %v", n, err)
	}
	in.Close()
	in.Close()
	if n, err := in.TryWrite(make([]byte, 2*wideSize)); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %d, %v", n, err)
	}
	if !eventually(func() bool { return widened.Load() == before }) {
		t.Error("one that is closed still counts")
	}
}

// A pipe that is being closed counts until it is closed: until then a TryWrite
// may still widen it.
func TestWidenWhileClosing(t *testing.T) {
	_, w := pipe(t)
	before := widened.Load()
	in := newInput(w)
	if !in.wide.begin(in.f) {
		t.Skip("this user's pipes hold as much as they may")
	}
	if err := in.raw.Control(func(uintptr) { // the end of the file waits for it
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		for in.raw.Control(func(uintptr) {}) == nil {
			time.Sleep(time.Millisecond)
		}
		if n := widened.Load() - before; n != 1 {
			t.Errorf("while it is closed %d count", n)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return widened.Load() == before }) {
		t.Error("one that is closed still counts")
	}
}

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
	stuck := func() bool {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/wchan", p.Pid()))
		for _, task := range tasks {
			if b, _ := os.ReadFile(task); strings.HasPrefix(string(b), "sock_") {
				return true
			}
		}
		return false
	}
	go func() {
		for !stuck() {
			if _, err := p.Stdin.TryWrite(make([]byte, 1<<10)); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	for !stuck() {
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
