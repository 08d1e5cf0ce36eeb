package bridge

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// An Ending is how a WebSocket was closed (RFC 6455, sections 7.1.5 and 7.1.6).
// A connection that was dropped without a close frame has code 1006, one that
// was closed without a code 1005.
type Ending struct {
	Code   int
	Reason string
}

func (e Ending) String() string { return strings.TrimSpace(fmt.Sprintf("%d %s", e.Code, e.Reason)) }

// Error makes an Ending the cause that a session ends for.
func (e Ending) Error() string { return e.String() }

// Close codes of RFC 6455, section 7.4.1, and of the IANA registry that it
// founded.
const (
	codeNormal         = 1000
	codeGoingAway      = 1001
	codeProtocolError  = 1002
	codeNone           = 1005 // never sent: the close frame had no code
	codeAbnormal       = 1006 // never sent: there was no close frame
	codeInternalError  = 1011
	codeServiceRestart = 1012
	codeTryAgainLater  = 1013
)

// exitBase is the close code of exit status 0 in the private range (RFC 6455,
// section 7.4.2).
const exitBase = 4000

// ExitStatus returns the exit status that the close code stands for: 0 for 1000 and for
// a close without a code, N for 4000+N from 1 to 255, and 1 for everything else. That
// includes 4000, which other servers use for failures of their own.
func (e Ending) ExitStatus() int {
	switch n := e.Code - exitBase; {
	case e.Code == codeNormal || e.Code == codeNone:
		return 0
	case n >= 1 && n <= 255:
		return n
	default:
		return 1
	}
}

// endingOf tells a client how its child ended.
func endingOf(state process.State) Ending {
	if state == (process.State{}) {
		return Ending{Code: codeNormal}
	}
	return Ending{exitBase + int(min(uint32(state.ExitCode()), 255)), state.String()}
}

// Why a session ends. Each is the cause of the session's context.
var (
	// errChildDone: the child exited or closed its standard output; how it
	// ended is known when it has been reaped.
	errChildDone = errors.New("the child is done")

	// errInputDone: a Client's own input has ended, and what was to come for it has.
	errInputDone = errors.New("the input is done")

	errShutdown  = Ending{codeGoingAway, "server shutting down"}
	errTimeout   = Ending{codeGoingAway, "session timeout"}
	errIdle      = Ending{codeGoingAway, "idle"}
	errGoingAway = Ending{codeGoingAway, ""}

	errLost     = Ending(wire.Lost)
	errPeerDead = Ending(wire.PeerDead)
)

// An outputEnd is how the output of a session's far end has ended.
type outputEnd struct {
	c     chan struct{} // closed when it has
	cause error         // is there then
}

// broken is how a session ends whose child exited, which was its cause, before it was seen
// that the child had broken its framing.
func (e *outputEnd) broken(cause error) (how Ending, ok bool) {
	if cause != errChildDone {
		return how, false
	}
	return errors.AsType[Ending](e.cause)
}

// A localError ends a Client's session whose own input or output failed.
type localError struct {
	op  string
	err error
}

func (e *localError) Error() string { return "cannot " + e.op + ": " + e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

// endingFor is how a session ends that ends for a cause, and whose child, if it
// has one, ended in that state.
func endingFor(cause error, state process.State) Ending {
	if ending, ok := errors.AsType[Ending](cause); ok {
		return ending
	}
	if _, ok := errors.AsType[*localError](cause); ok {
		return errGoingAway
	}
	if ended, ok := errors.AsType[programEnded](cause); ok {
		return ended.Ending // of a program that is not the session's own
	}
	return endingOf(state)
}

// faults are what a client is told of the file of a command, without its path.
var faults = map[process.Fault]string{
	process.DanglingLink:    "command not found",
	process.Directory:       "command is not a program",
	process.NotRegular:      "command is not a program",
	process.Unreachable:     "command cannot be reached",
	process.NotExecutable:   "command is not executable",
	process.NoExecMount:     "command is on a noexec file system",
	process.Busy:            "command is being written",
	process.Empty:           "command is empty",
	process.CarriageReturn:  "command has CR LF line ends",
	process.ByteOrderMark:   "command begins with a byte order mark",
	process.UTF16:           "command is saved as UTF-16",
	process.NoFirstLine:     "command has no #! line",
	process.BadFirstLine:    "command has a bad #! line",
	process.NoInterpreter:   "command's interpreter not found",
	process.BadInterpreter:  "command's interpreter cannot be started",
	process.NoLoader:        "command's loader not found",
	process.OtherSystem:     "command is for another system",
	process.ScriptOnWindows: "command is a script",
}

// notStarted says why a command cannot be started, without its path.
func notStarted(err error) Ending {
	if e, ok := errors.AsType[*process.StartError](err); ok && faults[e.Fault] != "" {
		return Ending{codeInternalError, faults[e.Fault]}
	}
	reason := "command cannot be started"
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		reason = "too many open files"
	case isTerminalError(err):
		reason = "no terminal"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		reason = "command not found"
	case errors.Is(err, fs.ErrPermission):
		reason = "command is not executable"
	case errors.Is(err, syscall.ENOEXEC), errors.Is(err, syscall.EISDIR):
		reason = "command is not a program"
	case errors.Is(err, syscall.E2BIG): // a header of 128 KiB is enough (execve(2))
		reason = "request too large for the command's environment"
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ENOSPC):
		reason = "no room for another process"
	}
	return Ending{codeInternalError, reason}
}
