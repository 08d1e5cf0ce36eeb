//go:build unix

package process

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

func init() {
	children["stopped"] = childStopped
	children["emigrant"] = childEmigrant
}

func childStopped([]string) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
	syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	select {}
}

func TestStopped(t *testing.T) {
	p := start(t, command("stopped"))
	var ws syscall.WaitStatus
	for {
		// Returns when the child has stopped, and leaves it unreaped.
		if _, err := syscall.Wait4(p.Pid(), &ws, syscall.WUNTRACED, nil); err != syscall.EINTR {
			break
		}
	}
	if !ws.Stopped() {
		t.Fatalf("the child has not stopped: %#x", ws)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := p.Wait(ctx); err == nil {
		t.Fatal("a stopped child was taken for one that exited")
	}
	if state := p.End(t.Context()); state != (State{Signal: syscall.SIGKILL}) {
		t.Error(state)
	}
}

// childEmigrant joins the group of its parent and ignores what it can.
func childEmigrant([]string) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
	group, _ := syscall.Getpgid(os.Getppid())
	fmt.Println(syscall.Setpgid(0, group))
	select {}
}

func TestLeaderLeavesGroup(t *testing.T) {
	p := start(t, command("emigrant"))
	expectLine(t, bufio.NewReader(p.Stdout), "<nil>")
	if state := p.End(done); state != (State{Signal: syscall.SIGKILL}) {
		t.Error(state)
	}
}

func TestSignals(t *testing.T) {
	for sig, want := range map[syscall.Signal]string{
		syscall.SIGHUP:  "signal: hangup",
		syscall.SIGINT:  "signal: interrupt",
		syscall.SIGTERM: "signal: terminated",
		syscall.SIGKILL: "signal: killed",
	} {
		p := start(t, command("deaf"))
		expectLine(t, bufio.NewReader(p.Stdout), "ready")
		if err := syscall.Kill(p.Pid(), sig); err != nil {
			t.Fatal(err)
		}
		wait(t, p)
		state := p.End(done)
		if state != (State{Signal: sig}) {
			t.Errorf("signal %d: got %+v", sig, state)
		}
		if state.String() != want {
			t.Errorf("signal %d: got %q, want %q", sig, state, want)
		}
	}
}

// A process that a handler of its own ends by SIGUSR1 is beyond the runtime
// of Go, which ignores it; and one that dumps core still has a signal.
func TestSignalsOfShell(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{
		"USR1": syscall.SIGUSR1, "ALRM": syscall.SIGALRM, "PIPE": syscall.SIGPIPE, "SEGV": syscall.SIGSEGV,
	} {
		p := start(t, sh("ulimit -c 0; kill -"+name+" $$"))
		wait(t, p)
		if state := p.End(done); state != (State{Signal: sig}) {
			t.Errorf("%s: got %+v", name, state)
		}
	}
}

func TestShellBackground(t *testing.T) {
	p := start(t, sh("sleep 1000 & echo $!; wait"))
	sleep := watch(t, atoi(readLine(t, bufio.NewReader(p.Stdout))))
	p.Stdin.Close()
	p.End(t.Context())
	sleep.expectGone(t)
}

func TestShellPipeline(t *testing.T) {
	p := start(t, sh("sh -c 'echo $$ >&2; exec sleep 1000' | sh -c 'echo $$ >&2; exec sleep 1000'; :"))
	errs := bufio.NewReader(p.Stderr)
	a, b := watch(t, atoi(readLine(t, errs))), watch(t, atoi(readLine(t, errs)))
	p.Stdin.Close()
	p.End(t.Context())
	a.expectGone(t)
	b.expectGone(t)
}
