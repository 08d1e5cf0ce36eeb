// Package hint has the error of the command line: what failed, and what to try.
package hint

// An Error is a failure with advice on what to do about it.
type Error struct {
	Err   error
	Hint  string
	Usage bool // it is a mistake in how the command was called, not a failure of what it did
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Add returns err with a hint.
func Add(err error, hint string) error { return &Error{Err: err, Hint: hint} }

// Usage returns a mistake in how the command was called, with a hint.
func Usage(err error, hint string) error { return &Error{Err: err, Hint: hint, Usage: true} }
