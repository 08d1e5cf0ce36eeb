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
