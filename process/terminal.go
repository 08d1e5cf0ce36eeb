package process

import (
	"cmp"
	"os"
)

// RawOutput are Streams whose standard output is a terminal, so that programs do not
// hold back what they print. Standard input and error are pipes. The terminal is in raw
// mode: the bytes that are read are those that the child has written. It is one column
// wide, because programs such as ls then print a name a line, as into a pipe. It is
// nobody's controlling terminal.
type RawOutput struct{}

func (RawOutput) open() (stdio, error) { return around(rawTerminal) }

// A Terminal are Streams that are one terminal, the child's controlling terminal, in a
// session of its own (setsid(2)). Stderr is empty: what the child writes there comes from
// Stdout too. Closing Stdin hangs the terminal up, as when a window is closed: what was
// not read of it is lost, and the session gets SIGHUP. The ladder reaches all process
// groups of the session on Linux. Elsewhere it reaches the child's own, and the hangup
// the one in the foreground: a job in the background that ignores SIGHUP is left.
type Terminal struct{ Columns, Rows uint16 }

func (t Terminal) open() (s stdio, err error) {
	own, child, err := newTerminal()
	if err != nil {
		return s, &TerminalError{err}
	}
	nothing, err := os.Open(os.DevNull)
	if err == nil {
		err = cmp.Or(makeUTF8(child), setSize(child, t.Columns, t.Rows))
	}
	if err != nil {
		closeAll([]*os.File{own, child, nothing})
		return s, &TerminalError{err}
	}
	return stdio{
		child:    [3]*os.File{child, child, child},
		ours:     [3]*os.File{own, own, nothing},
		terminal: own,
	}, nil
}

// HasTerminal reports whether the child's streams are a Terminal.
func (p *Process) HasTerminal() bool { return p.terminal != nil }

// Resize sets the size of the child's Terminal, of which it is told by SIGWINCH. Without
// one it does nothing.
func (p *Process) Resize(columns, rows uint16) {
	if p.terminal == nil {
		return
	}
	_ = setSize(p.terminal, columns, rows) // there may be nobody any more who looks at it
}

// A TerminalError says that there is no terminal to be had.
type TerminalError struct{ Err error }

func (e *TerminalError) Error() string { return "cannot open a terminal: " + e.Err.Error() }
func (e *TerminalError) Unwrap() error { return e.Err }

// rawTerminal opens a terminal for a child's output.
func rawTerminal() (own, child *os.File, err error) {
	own, child, err = newTerminal()
	if err != nil {
		return nil, nil, &TerminalError{err}
	}
	if err = cmp.Or(makeRaw(child), setSize(child, 1, 24)); err != nil {
		closeAll([]*os.File{own, child})
		return nil, nil, &TerminalError{err}
	}
	return own, child, nil
}
