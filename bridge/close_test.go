package bridge

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/process"
)

func TestCloseOf(t *testing.T) {
	for _, test := range []struct {
		state  process.State
		want   Ending
		status int // that the close tells a client of
	}{
		{process.State{}, Ending{1000, ""}, 0},
		{process.State{Status: 1}, Ending{4001, "exit status 1"}, 1},
		{process.State{Status: 3}, Ending{4003, "exit status 3"}, 3},
		{process.State{Status: 127}, Ending{4127, "exit status 127"}, 127},
		{process.State{Status: 130}, Ending{4130, "exit status 130"}, 130},
		{process.State{Status: 255}, Ending{4255, "exit status 255"}, 255},
		{process.State{Signal: syscall.SIGINT}, Ending{4130, "signal: interrupt"}, 130},
		{process.State{Signal: syscall.SIGKILL}, Ending{4137, "signal: killed"}, 137},
		{process.State{Signal: syscall.SIGTERM}, Ending{4143, "signal: terminated"}, 143},
		{process.State{Signal: 64}, Ending{4192, "signal: signal 64"}, 192},
		// Windows has statuses of 32 bits.
		{process.State{Status: 256}, Ending{4255, "exit status 256"}, 255},
		{process.State{Status: 0x4000_0005}, Ending{4255, "exit status 1073741829"}, 255},
		{process.State{Status: -1}, Ending{4255, "exit status -1"}, 255},
	} {
		got := endingOf(test.state)
		if got != test.want {
			t.Errorf("endingOf(%+v) = %+v, want %+v", test.state, got, test.want)
		}
		if status := got.ExitStatus(); status != test.status {
			t.Errorf("%v: exit status %d, want %d", got, status, test.status)
		}
	}
}

func TestExitStatus(t *testing.T) {
	for code, want := range map[int]int{
		1000: 0,
		4000: 1, // not ours: exit status 0 is 1000
		4001: 1,
		4003: 3,
		4137: 137,
		4255: 255,
		4256: 1,
		4999: 1,
		3999: 1,
		3003: 1,
		1001: 1,
		1002: 1,
		1005: 0, // closed in order, without a code
		1006: 1,
		1009: 1,
		1011: 1,
		0:    1,
		-1:   1,
	} {
		if got := (Ending{Code: code}).ExitStatus(); got != want {
			t.Errorf("exit status of %d: %d, want %d", code, got, want)
		}
	}
}

func TestCloseString(t *testing.T) {
	for want, c := range map[string]Ending{
		"1000":                            {Code: 1000},
		"4003 exit status 3":              {4003, "exit status 3"},
		"1001 server shutting down":       errShutdown,
		"1006 no answer to pings":         errPeerDead,
		"1009 message over 1048576 bytes": errTooBig(1 << 20),
	} {
		if c.String() != want || c.Error() != want {
			t.Errorf("%+v is %q and %q, want %q", c, c.String(), c.Error(), want)
		}
	}
}

// Each cause has the code of its row in the table.
func TestCauses(t *testing.T) {
	for _, test := range []struct {
		cause error
		code  int
	}{
		{errShutdown, 1001},
		{errGoingAway, 1001},
		{errPeerDead, 1006},
		{errLost, 1006},
		{errNotUTF8, 1007},
		{errReasonNotUTF8, 1007},
		{errTooBig(5), 1009},
		{notStarted(fs.ErrNotExist), 1011},
	} {
		// A cause comes back from a context, maybe wrapped.
		got, ok := errors.AsType[Ending](fmt.Errorf("wrapped: %w", test.cause))
		if !ok || got.Code != test.code {
			t.Errorf("%v: code %d, want %d", test.cause, got.Code, test.code)
		}
		if len(got.Reason) > 123 || !utf8.ValidString(got.Reason) {
			t.Errorf("%v: no reason for a close frame", test.cause)
		}
	}
	if end := endingFor(errInputDone, process.State{}); end != (Ending{Code: 1000}) {
		t.Errorf("the end of a Client's input closes with %v", end)
	}
	if _, ok := errors.AsType[Ending](errChildDone); ok {
		t.Error("how the child ended is not known before it is reaped")
	}
}

func TestNotStarted(t *testing.T) {
	const path = "/srv/secret/command"
	started := func(errno syscall.Errno) error { return &os.PathError{Op: "start", Path: path, Err: errno} }
	for _, test := range []struct {
		err  error
		want string
	}{
		{started(syscall.ENOENT), "command not found"},
		{started(syscall.EACCES), "command is not executable"},
		{started(syscall.EPERM), "command is not executable"},
		{started(syscall.ENOEXEC), "command is not a program"},
		{started(syscall.EISDIR), "command is not a program"},
		{started(syscall.E2BIG), "request too large for the command's environment"},
		{started(syscall.EAGAIN), "no room for another process"},
		{started(syscall.ENOMEM), "no room for another process"},
		{os.NewSyscallError("pipe2", syscall.EMFILE), "too many open files"},
		{os.NewSyscallError("pipe2", syscall.ENFILE), "too many open files"},
		{started(syscall.EIO), "command cannot be started"},
		{errors.New(path), "command cannot be started"},
	} {
		got := notStarted(fmt.Errorf("wrapped: %w", test.err))
		if got.Code != 1011 || got.Reason != test.want {
			t.Errorf("%v: %v, want 1011 %s", test.err, got, test.want)
		}
	}
}

// What LookPath says when the command goes away while the server runs.
func TestNotStartedByLookPath(t *testing.T) {
	dir := t.TempDir()
	for command, want := range map[string]string{
		filepath.Join(dir, "missing"):   "command not found",
		"wsbridge-test-not-in-the-path": "command not found",
	} {
		_, err := exec.LookPath(command)
		if err == nil {
			t.Fatalf("%s is there", command)
		}
		if got := notStarted(err); got.Reason != want || strings.Contains(got.Reason, command) {
			t.Errorf("%v: %v, want %s", err, got, want)
		}
	}
}
