//go:build unix

package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	children["ladder"] = childLadder
	children["stubborn"] = childStubborn
	children["stopped"] = childStopped
	children["emigrant"] = childEmigrant
	children["few-files"] = childFewFiles
}

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

// childLadder tells what comes to it, and ends by the one that it is told.
func childLadder(args []string) {
	last, role := args[0], "leader"
	if len(args) > 1 {
		role = args[1]
	}
	signals := make(chan os.Signal, 10)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if role == "leader" && len(args) == 1 {
		exe, _ := os.Executable()
		member := exec.Command(exe, "nothing", "member")
		member.Stdout = os.Stdout
		if err := member.Start(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	fmt.Println(os.Getpid(), role, "ready")
	eof := make(chan bool)
	if role == "leader" {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			close(eof)
		}()
	}
	for {
		what := ""
		select {
		case <-eof:
			what, eof = "end of file", nil
		case s := <-signals:
			what = s.String()
		}
		fmt.Println(role, what)
		if what == last {
			os.Exit(5)
		}
	}
}

// Each rung is reached after its wait, and by the whole group; none is
// reached by a child that is gone before.
func TestLadder(t *testing.T) {
	type rung struct {
		what  string
		after time.Duration
	}
	rungs := []rung{
		{"end of file", 0},
		{"interrupt", 100 * time.Millisecond},
		{"terminated", 350 * time.Millisecond},
		{"nothing", 850 * time.Millisecond}, // the end itself
	}
	// With a second more, a slow child has time to tell what came to it.
	const grace = time.Second
	for n, last := range rungs {
		t.Run(last.what, func(t *testing.T) {
			t.Parallel()
			c := command("ladder", last.what)
			c.Grace = grace
			p := start(t, c)
			out := bufio.NewReader(p.Stdout)
			var member watched
			for range 2 {
				var pid int
				var role string
				line := readLine(t, out)
				if fmt.Sscanf(line, "%d %s ready", &pid, &role); role == "member" {
					member = watch(t, pid)
				} else if role != "leader" {
					t.Fatal(line)
				}
			}

			began := time.Now()
			ended := make(chan State, 1)
			go func() { ended <- p.End(context.Background()) }()
			p.Stdin.Close()
			expectLine(t, out, "leader end of file")
			for i := 1; i <= min(n, 2); i++ {
				// Both are sent it at once, and tell in any order; when
				// the leader is gone End kills the member.
				lines := readLine(t, out)
				if i < n {
					lines += ", " + readLine(t, out)
				}
				if d, want := time.Since(began), rungs[i].after+time.Duration(i)*grace; d < want {
					t.Errorf("%v already after %v, want %v", rungs[i].what, d, want)
				}
				for _, role := range []string{"leader ", "member "} {
					if i < n && !strings.Contains(lines, role+rungs[i].what) {
						t.Errorf("got lines %q, want %s %s among them", lines, role, rungs[i].what)
					}
				}
			}
			state := receive(t, ended)
			if last.what == "nothing" {
				if d, want := time.Since(began), last.after+3*grace; d < want {
					t.Errorf("killed already after %v, want %v", d, want)
				}
				if state != (State{Signal: syscall.SIGKILL}) {
					t.Error(state)
				}
			} else if state != (State{Status: 5}) {
				t.Error(state)
			}
			rest, _ := io.ReadAll(out)
			for _, r := range rungs[min(n+1, 3):] {
				if strings.Contains(string(rest), r.what) {
					t.Errorf("then came %q", rest)
				}
			}
			member.expectGone(t)
		})
	}
}

// Without a grace the waits are those of the package's doc.
func TestLadderWithoutGrace(t *testing.T) {
	t.Parallel()
	p := start(t, command("ladder", "nothing"))
	readLine(t, bufio.NewReader(p.Stdout))
	began := time.Now()
	state := p.End(t.Context())
	if d := time.Since(began); d < 850*time.Millisecond {
		t.Errorf("killed already after %v", d)
	}
	if state != (State{Signal: syscall.SIGKILL}) {
		t.Error(state)
	}
	if n, err := p.Stdin.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("End has left Stdin open: Write says %d, %v", n, err)
	}
}

// childStubborn ends at the end of its standard input only.
func childStubborn([]string) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	os.Exit(6)
}

// A caller who leaves Stdin open has it closed at the first signal.
func TestLadderClosesStdin(t *testing.T) {
	t.Parallel()
	c := command("stubborn")
	c.Grace = time.Second
	p := start(t, c)
	expectLine(t, bufio.NewReader(p.Stdout), "ready")
	if state := p.End(t.Context()); state != (State{Status: 6}) {
		t.Error(state)
	}
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

// sh is a shell that runs script.
func sh(script string) *Command {
	return &Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: os.Environ()}
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

// What left the group is cut off, and lives on.
func TestHoldingSetsid(t *testing.T) {
	p := start(t, command("leave", "holder", "setsid"))
	holder := watch(t, atoi(readLine(t, bufio.NewReader(p.Stderr))))
	out := collect(p.Stdout)
	wait(t, p)
	if state := p.End(t.Context()); state != (State{Status: 3}) {
		t.Error(state)
	}
	if got := receive(t, out); !strings.Contains(got, "leader\n") {
		t.Errorf("got %q", got)
	}
	if !holder.runs() {
		t.Error("the process that left the group is dead")
	}
}

// What the leader wrote arrives, even if nobody reads before End returned.
func TestHoldingSetsidReadLate(t *testing.T) {
	p := start(t, command("leave", "holder", "setsid", "fill"))
	errs := bufio.NewReader(p.Stderr)
	watch(t, atoi(readLine(t, errs)))
	size := atoi(readLine(t, errs))
	wait(t, p)
	p.End(done)
	got := receive(t, collect(p.Stdout))
	if size == 0 || got != string(pattern(size)) {
		t.Errorf("got %d bytes, want %d", len(got), size)
	}
}

// Nor does it go on for ever.
func TestHoldingEndless(t *testing.T) {
	p := start(t, command("leave", "endless", "setsid"))
	watch(t, atoi(readLine(t, bufio.NewReader(p.Stderr))))
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, p.Stdout)
		read <- err
	}()
	wait(t, p)
	p.End(t.Context())
	if err := receive(t, read); err != nil {
		t.Error(err)
	}
}

// However full the pipe is each time, the reading of what it holds ends.
func TestTailIsBounded(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	o := newOutput(r)
	o.cutOff()
	buf := make([]byte, 4096)
	read := 0
	for {
		if _, err := w.Write(buf); err != nil {
			t.Fatal(err)
		}
		n, err := o.Read(buf)
		if err == io.EOF {
			break
		}
		if read += n; err != nil || read > 2*tailLimit {
			t.Fatalf("after %d bytes: %v", read, err)
		}
	}
	if read < tailLimit {
		t.Errorf("only %d bytes of a pipe that may have held %d", read, tailLimit)
	}
}

func TestTryWrite(t *testing.T) {
	p := start(t, command("cat"))
	var sent []byte
	b := pattern(1 << 20)
	for full := 0; full < 2; {
		n, err := p.Stdin.TryWrite(b)
		if err != nil || n == len(b) {
			t.Fatalf("got %d, %v", n, err)
		}
		sent = append(sent, b[:n]...)
		b = b[n:]
		if full++; n > 0 { // cat may have read; it stops when its output is full, too
			full = 0
		}
	}
	if len(sent) == 0 {
		t.Error("nothing was written")
	}
	if n, err := p.Stdin.TryWrite(nil); n != 0 || err != nil {
		t.Errorf("nothing to write: got %d, %v", n, err)
	}
	p.Stdin.Close()
	if n, err := p.Stdin.TryWrite([]byte("x")); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: got %d, %v", n, err)
	}
	if got := receive(t, collect(p.Stdout)); got != string(sent) {
		t.Errorf("%d bytes arrived, %d were sent", len(got), len(sent))
	}
}

func TestTryWriteClosed(t *testing.T) {
	p := start(t, command("close-stdin"))
	if n, err := p.Stdin.TryWrite([]byte("early")); n != 5 || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
	expectLine(t, bufio.NewReader(p.Stdout), "closed")
	if n, err := p.Stdin.TryWrite([]byte("late")); n != 0 || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("TryWrite: got %d, %v", n, err)
	}
	if n, err := p.Stdin.Write([]byte("late")); n != 0 || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write: got %d, %v", n, err)
	}
	p.Stdin.Close()
	if n, err := p.Stdin.TryWrite([]byte("closed")); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: got %d, %v", n, err)
	}
}

func TestTryWriteAllocs(t *testing.T) {
	p := start(t, command("deaf"))
	line := []byte("a line\n")
	allocs := testing.AllocsPerRun(100, func() {
		if n, err := p.Stdin.TryWrite(line); n != len(line) || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	for n := -1; n != 0; { // nor when it is full
		n, _ = p.Stdin.TryWrite(line)
	}
	if allocs := testing.AllocsPerRun(100, func() { p.Stdin.TryWrite(line) }); allocs != 0 {
		t.Errorf("full: %v allocations", allocs)
	}
}

// A Write that waits for the child goes on when the child reads.
func TestWriteWaits(t *testing.T) {
	p := start(t, command("cat"))
	b := pattern(1 << 20)
	written := make(chan error, 1)
	go func() {
		_, err := p.Stdin.Write(b)
		p.Stdin.Close()
		written <- err
	}()
	if got := receive(t, collect(p.Stdout)); got != string(b) {
		t.Errorf("got %d bytes, want %d", len(got), len(b))
	}
	if err := receive(t, written); err != nil {
		t.Error(err)
	}
}

func TestNotExecutable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, dir} {
		if _, err := (&Command{Path: path}).Start(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", path, err)
		}
	}
	noFormat := filepath.Join(dir, "noformat")
	if err := os.WriteFile(noFormat, []byte("nothing that runs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Command{Path: noFormat}).Start(); !errors.Is(err, syscall.ENOEXEC) {
		t.Errorf("no format: %v", err)
	}
}

// childFewFiles starts children under every limit of open files between too
// few and enough.
func childFewFiles([]string) {
	exit := command("exit", "0")
	ctx := context.Background()
	p, err := exit.Start() // warms up, as in TestMain
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	p.End(ctx)
	p.Close()

	var rlimit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &rlimit)
	full := rlimit.Cur
	goroutines, files := runtime.NumGoroutine(), openFiles()
	rlimit.Cur = 3
	for range 64 {
		rlimit.Cur++
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &rlimit); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		p, err := exit.Start()
		if err == nil {
			p.End(ctx)
			p.Close()
		}
		few := rlimit.Cur
		rlimit.Cur = full
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &rlimit)
		rlimit.Cur = few
		if err == nil {
			fmt.Println("enough")
			os.Exit(0)
		}
		if !errors.Is(err, syscall.EMFILE) {
			fmt.Printf("limit %d: %v\n", few, err)
			os.Exit(1)
		}
		if err := noLeak(goroutines, files); err != nil {
			fmt.Printf("limit %d: %v\n", few, err)
			os.Exit(1)
		}
		fmt.Println("too few")
	}
}

func TestTooManyOpenFiles(t *testing.T) {
	p := start(t, command("few-files"))
	errs := collect(p.Stderr)
	got := receive(t, collect(p.Stdout))
	wait(t, p)
	// Three pipes, one that tells of a failing exec, one file to watch by.
	if n := strings.Count(got, "too few\n"); n < 3*2+2+1 || got != strings.Repeat("too few\n", n)+"enough\n" {
		t.Errorf("got %q", got)
	}
	p.End(done)
	if s := receive(t, errs); s != "" {
		t.Error(s)
	}
}
