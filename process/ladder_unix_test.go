//go:build unix

package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	children["ladder"] = childLadder
	children["stubborn"] = childStubborn
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
