//go:build unix

package process

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

// raw is the command with a terminal for its output.
func raw(c *Command) *Command {
	c.Streams = RawOutput{}
	return c
}

// The bytes of a raw terminal are those of a pipe, also the last ones.
func TestRawOutput(t *testing.T) {
	for _, size := range []string{"0", "1", "4095", "4096", "70000", "10485760"} {
		p := start(t, raw(command("print", size)))
		out := collect(p.Stdout)
		wait(t, p)
		if state := p.End(t.Context()); state != (State{}) {
			t.Error(state)
		}
		if got := receive(t, out); got != string(pattern(atoi(size))) {
			t.Errorf("got %d bytes, want the %s of the child", len(got), size)
		}
	}
}

// What is pending when the child exits is there for a reader who comes late.
func TestRawOutputReadLate(t *testing.T) {
	bothWays(t, func(t *testing.T, try bool) {
		p := start(t, raw(command("print", "3000")))
		wait(t, p)
		p.End(done)
		got, err := io.ReadAll(borrower{p.Stdout, try, 1 << 20})
		if err != nil || string(got) != string(pattern(3000)) {
			t.Errorf("got %d bytes, %v; want 3000", len(got), err)
		}
	})
}

// The child sees a terminal that is one column wide, which is not its controlling one,
// and is in a process group of its own.
func TestRawOutputIsATerminal(t *testing.T) {
	p := start(t, raw(sh(`exec 3<&1; test -t 0; echo $?; test -t 1; echo $?; test -t 2; echo $?
		stty size <&1; stty -a <&3 | grep -o -e -opost -e '-echo ' -e -icanon | wc -l
		ps -o pgid= -p $$; echo $$; ps -o tty= -p $$; tty <&1`)))
	out := collect(p.Stdout)
	wait(t, p)
	p.End(t.Context())
	got := strings.Fields(receive(t, out))
	if len(got) < 10 || strings.Join(got[:5], " ") != "1 0 1 24 1" || got[5] != "3" {
		t.Fatalf("got %q", got)
	}
	if got[6] != got[7] {
		t.Errorf("process %s is in group %s", got[7], got[6])
	}
	if "/dev/"+got[8] == got[9] {
		t.Errorf("the controlling terminal is %s", got[8])
	}
}

// A reader who is slow makes the child wait, and gets everything.
func TestRawOutputSlowly(t *testing.T) {
	p := start(t, raw(command("print", "200000")))
	var got []byte
	buf := make([]byte, 100)
	for {
		n, err := p.Stdout.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			break
		}
	}
	if string(got) != string(pattern(200000)) {
		t.Errorf("got %d bytes, want 200000", len(got))
	}
}

// The ladder ends a child whose terminal is full.
func TestRawOutputEnd(t *testing.T) {
	p := start(t, raw(command("endless")))
	if line := readLine(t, bufio.NewReader(p.Stderr)); line != "ready" {
		t.Fatal(line)
	}
	if state := p.End(t.Context()); state.Signal == 0 {
		t.Error(state)
	}
}
