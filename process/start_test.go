package process

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestExitStatus(t *testing.T) {
	for _, status := range []int{0, 3, 255} {
		p := start(t, command("exit", strconv.Itoa(status)))
		out, errs := collect(p.Stdout), collect(p.Stderr)
		wait(t, p)
		state := p.End(t.Context())
		if want := (State{Status: status}); state != want {
			t.Errorf("got %+v, want %+v", state, want)
		}
		if got, want := state.String(), fmt.Sprint("exit status ", status); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if again := p.End(t.Context()); again != state {
			t.Errorf("second End: got %+v, want %+v", again, state)
		}
		wait(t, p) // as it did before End
		receive(t, out)
		receive(t, errs)
	}
}

func TestExitCode(t *testing.T) {
	windows := uint32(0xC000013A) // STATUS_CONTROL_C_EXIT
	for _, test := range []struct {
		state State
		want  int
	}{
		{State{}, 0},
		{State{Status: 3}, 3},
		{State{Status: 255}, 255},
		{State{Status: int(windows)}, int(windows)},
		{State{Signal: syscall.SIGINT}, 130},
		{State{Signal: syscall.SIGKILL}, 137},
		{State{Signal: syscall.SIGTERM}, 143},
	} {
		if got := test.state.ExitCode(); got != test.want {
			t.Errorf("%v: got %d, want %d", test.state, got, test.want)
		}
	}
}

func TestEnv(t *testing.T) {
	c := command("")
	c.Args = append(c.Args, "environ")
	c.Env = nil
	p := start(t, c)
	got := receive(t, collect(p.Stdout))
	if runtime.GOOS == "windows" { // gives every process some of its own
		got = ""
	}
	if got != "" {
		t.Errorf("nil Env: the child sees %q", got)
	}

	c.Env = []string{childVar + "=environ", "GORACE=atexit_sleep_ms=0", "A=1", "B=two words"}
	p = start(t, c)
	got = strings.ReplaceAll(receive(t, collect(p.Stdout)), "\r", "")
	if want := "A=1\nB=two words\n"; !strings.Contains(got, want) {
		t.Errorf("the child sees %q, want %q in it", got, want)
	}
}

func TestArgs(t *testing.T) {
	c := command("args")
	for _, args := range [][]string{nil, {"name"}, {"name", "", "two words", `"`, `\`, "-x"}} {
		c.Args = args
		want := fmt.Sprintf("%q", args)
		if args == nil {
			want = fmt.Sprintf("%q", []string{c.Path})
		}
		if got := receive(t, collect(start(t, c).Stdout)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestDir(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	there, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{"": here, there: there} {
		c := command("dir")
		c.Dir = dir
		if got := receive(t, collect(start(t, c).Stdout)); got != want {
			t.Errorf("Dir %q: the child runs in %q, want %q", dir, got, want)
		}
	}
}

func TestStartErrors(t *testing.T) {
	c := command("exit", "0")
	missing := filepath.Join(filepath.Dir(c.Path), "missing")
	if _, err := (&Command{Path: missing}).Start(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing Path: %v", err)
	}
	c.Dir = missing
	_, err := c.Start()
	if pathErr, ok := errors.AsType[*fs.PathError](err); !ok || pathErr.Path != missing || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing Dir: %v", err)
	}
	c = command("exit", "a\x00b")
	if _, err := c.Start(); err == nil {
		t.Error("no error for an argument with a zero byte")
	}
}

// Children that are started at the same time do not hold each other's pipes.
func TestManyAtOnce(t *testing.T) {
	const n = 30
	failed := make(chan error, n)
	for i := range n {
		go func() {
			failed <- func() error {
				c := command("cat")
				c.Grace = limit
				p, err := c.Start()
				if err != nil {
					return err
				}
				defer p.Close()
				want := fmt.Sprint("child ", i)
				p.Stdin.Write([]byte(want))
				p.Stdin.Close()
				got, _ := io.ReadAll(p.Stdout)
				if state := p.End(t.Context()); string(got) != want || state != (State{}) {
					return fmt.Errorf("got %q, %v; want %q", got, state, want)
				}
				return nil
			}()
		}()
	}
	for range n {
		if err := receive(t, failed); err != nil {
			t.Error(err)
		}
	}
}
