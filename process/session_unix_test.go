//go:build unix

package process

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// onTerminal is a shell on a terminal of its own.
func onTerminal(script string) *Command {
	c := sh(script)
	c.Streams = Terminal{Columns: 91, Rows: 27}
	return c
}

// terminalLine reads a line of a terminal.
func terminalLine(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	return strings.TrimSuffix(readLine(t, r), "\r")
}

// The three streams are one terminal, which is the controlling one of a session.
func TestTerminal(t *testing.T) {
	p := start(t, onTerminal(`test -t 0 && test -t 1 && test -t 2 && stty size; echo error >&2
		read line; echo "<$line>"; stty size; ps -o pid=,pgid=,sid=,tpgid= -p $$; echo $$; exit 3`))
	if !p.HasTerminal() {
		t.Error("no terminal")
	}
	errs := collect(p.Stderr)
	out := bufio.NewReader(p.Stdout)
	for _, want := range []string{"27 91", "error"} {
		if got := terminalLine(t, out); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p.Resize(100, 50)
	p.Stdin.Write([]byte("hello\r")) // as a keyboard has it
	for _, want := range []string{"hello", "<hello>", "50 100"} {
		if got := terminalLine(t, out); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	ids := strings.Fields(terminalLine(t, out))
	if pid := terminalLine(t, out); strings.Join(ids, " ") != strings.Join([]string{pid, pid, pid, pid}, " ") {
		t.Errorf("process %s: %q", pid, ids)
	}
	wait(t, p)
	if state := p.End(t.Context()); state != (State{Status: 3}) {
		t.Error(state)
	}
	if rest, err := io.ReadAll(out); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	if got := receive(t, errs); got != "" {
		t.Errorf("standard error: %q", got)
	}
	p.Resize(1, 1)
}

// What is pending when the child exits arrives, also if Stdin is closed by then.
func TestTerminalPending(t *testing.T) {
	for range 10 {
		p := start(t, onTerminal("printf '%03000d' 0"))
		wait(t, p)
		p.Stdin.Close()
		p.End(done)
		if got := receive(t, collect(p.Stdout)); got != strings.Repeat("0", 3000) {
			t.Fatalf("got %d bytes, want 3000", len(got))
		}
	}
}

// A terminal that is hung up tells the session by SIGHUP, before any signal of the ladder.
func TestTerminalHangup(t *testing.T) {
	told := filepath.Join(t.TempDir(), "told")
	c := onTerminal(`trap 'echo hangup >"$0"; exit 7' HUP; trap 'echo other >"$0"; exit 8' INT TERM; echo ready; while read x; do :; done; sleep 100`)
	c.Args = append(c.Args, told)
	c.Grace = limit
	p := start(t, c)
	out := bufio.NewReader(p.Stdout)
	if got := terminalLine(t, out); got != "ready" {
		t.Fatal(got)
	}
	p.Stdin.Close()
	if state := p.End(t.Context()); state != (State{Status: 7}) {
		t.Error(state)
	}
	if got, err := os.ReadFile(told); string(got) != "hangup\n" {
		t.Errorf("%q, %v", got, err)
	}
	if rest, err := io.ReadAll(out); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// Nothing of the session is left, whatever group it is in and whatever it ignores, when
// the terminal is hung up and when the child exits.
func TestTerminalJobs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this system does not tell the process groups of a session")
	}
	for _, script := range []string{
		`set -m; (trap "" HUP INT TERM; echo ready; while :; do sleep 1; done) & echo $!; read x; read x`,
		`set -m; (trap "" HUP INT TERM; while :; do sleep 1; done) & echo $!`,
	} {
		p := start(t, onTerminal(script))
		out := bufio.NewReader(p.Stdout)
		pid := terminalLine(t, out)
		if exits := !strings.Contains(script, "read"); exits {
			wait(t, p)
		} else if pid == "ready" {
			pid = terminalLine(t, out)
		} else if got := terminalLine(t, out); got != "ready" {
			t.Errorf("got %q", got)
		}
		w := watch(t, atoi(pid))
		p.Stdin.Close()
		p.End(t.Context())
		w.expectGone(t)
	}
}

// A ladder that takes no time kills them too.
func TestTerminalKilled(t *testing.T) {
	p := start(t, onTerminal("trap '' HUP INT TERM; echo ready; while :; do sleep 1; done"))
	if got := terminalLine(t, bufio.NewReader(p.Stdout)); got != "ready" {
		t.Fatal(got)
	}
	if state := p.End(done); state.String() != "signal: killed" {
		t.Error(state)
	}
}
