// Package hint has errors that say what failed and what the user can try.
package hint

// An Error is a failure with advice on what to do about it.
type Error struct {
	Err   error
	Hint  string
	Usage bool // the command line was wrong; nothing was done
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Add returns err with a hint.
func Add(err error, hint string) error { return &Error{Err: err, Hint: hint} }

// Usage returns err as a mistake in the command line, with a hint.
func Usage(err error, hint string) error { return &Error{Err: err, Hint: hint, Usage: true} }
