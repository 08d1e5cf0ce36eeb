package bridge

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"

	"github.com/coder/websocket"

	"github.com/wsbridge/wsbridge/process"
)

// Close is how a WebSocket was closed (RFC 6455, sections 7.1.5 and 7.1.6).
// A connection that was dropped without a close frame has code 1006, one
// that was closed without a code 1005.
type Close struct {
	Code   int
	Reason string
}

func (c Close) String() string { return strings.TrimSpace(fmt.Sprintf("%d %s", c.Code, c.Reason)) }

// Error makes a Close the cause that a session ends for.
func (c Close) Error() string { return c.String() }

// exitBase is the close code of exit status 0 in the private range (RFC 6455,
// section 7.4.2); signals follow the shells and count from 128.
const exitBase = 4000

// ExitStatus is the exit status that the close tells of: 0 for 1000, N for
// 4000+N from 1 to 255, and 1 for everything else. That includes 4000, which
// tells of no exit status, but of whatever has failed at another server.
func (c Close) ExitStatus() int {
	switch n := c.Code - exitBase; {
	case c.Code == int(websocket.StatusNormalClosure):
		return 0
	case n >= 1 && n <= 255:
		return n
	default:
		return 1
	}
}

// closeOf tells a client how its child ended.
func closeOf(state process.State) Close {
	switch {
	case state.Signal != 0:
		return Close{exitBase + 128 + int(state.Signal), state.String()}
	case state.Status != 0:
		return Close{exitBase + int(min(uint32(state.Status), 255)), state.String()}
	default:
		return Close{Code: int(websocket.StatusNormalClosure)}
	}
}

// Why a session ends. Each is the cause of the session's context.
var (
	// errChildDone: the child exited or closed its standard output; how it
	// ended is known when it has been reaped.
	errChildDone = errors.New("the child is done")

	errShutdown  = Close{int(websocket.StatusGoingAway), "server shutting down"}
	errTimeout   = Close{int(websocket.StatusGoingAway), "session timeout"}
	errIdle      = Close{int(websocket.StatusGoingAway), "idle"}
	errGoingAway = Close{int(websocket.StatusGoingAway), ""}
	errNotUTF8   = Close{int(websocket.StatusInvalidFramePayloadData), "text is not UTF-8"}
	errInputDone = Close{int(websocket.StatusNormalClosure), ""}

	errReasonNotUTF8 = Close{int(websocket.StatusInvalidFramePayloadData), "close reason is not UTF-8"}

	errPeerDead = Close{int(websocket.StatusAbnormalClosure), "no answer to pings"}
	errLost     = Close{int(websocket.StatusAbnormalClosure), "connection lost"}
)

// A localError ends a Client's session whose own input or output failed.
type localError struct {
	op  string
	err error
}

func (e *localError) Error() string { return "cannot " + e.op + ": " + e.err.Error() }
func (e *localError) Unwrap() error { return e.err }
func (e *localError) close() Close  { return errGoingAway }

func errTooBig(limit int) Close {
	return Close{int(websocket.StatusMessageTooBig), fmt.Sprintf("message over %d bytes", limit)}
}

func errProtocol(err error) Close {
	return Close{int(websocket.StatusProtocolError), lastOf(err)}
}

// lastOf is the innermost message of an error, the one that says what.
func lastOf(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// notStarted says why a command cannot be started, without its path.
func notStarted(err error) Close {
	reason := "command cannot be started"
	switch {
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
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		reason = "too many open files"
	}
	return Close{int(websocket.StatusInternalError), reason}
}

// maxReason is how many bytes of reason a close frame holds beside its code
// (RFC 6455, section 5.5).
const maxReason = 123

// shortened is the reason cut to what a close frame can hold, between runes.
func shortened(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	reason = reason[:maxReason]
	return reason[:len(reason)-partialRune([]byte(reason))]
}
