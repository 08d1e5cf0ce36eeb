package process

import (
	"bufio"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

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
