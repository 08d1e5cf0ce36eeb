package process

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// ReadTo is Read into a buffer that it borrows, so that an output that has nothing to
// read holds no buffer: take lends one, of at least one byte, and drop gives it back
// while ReadTo waits, and at the end. ReadTo may call drop without a buffer to give
// back. Where a read cannot be tried (Windows), it waits with a small buffer of its
// own.
//
// A read allocates nothing if take and drop are the same each time.
func (o *Output) ReadTo(take func() []byte, drop func()) (int, error) {
	return o.readTo(canTry, take, drop)
}

func (o *Output) readTo(try bool, take func() []byte, drop func()) (n int, err error) {
	if try {
		if o.lent == nil {
			o.lent = newAttempt(o.f)
		}
		n, err = o.lent.read(take, drop)
	} else {
		if o.waiting == nil {
			o.waiting = &waiter{small: make([]byte, smallBuffer)}
		}
		n, err = o.waiting.read(o.f, take, drop)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		n, err = o.readTail(take())
	}
	if n == 0 {
		drop()
	}
	return n, o.noted(n, err)
}

// An attempt reads as soon as there is something, and waits without a buffer.
type attempt struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // made once, because a closure is allocated

	// Of the read that is under way.
	take func() []byte
	drop func()
	n    int
	err  error
}

func newAttempt(f *os.File) *attempt {
	a := new(attempt)
	a.raw, _ = f.SyscallConn() // fails for no file only
	a.try = a.readNow
	return a
}

func (a *attempt) read(take func() []byte, drop func()) (int, error) {
	a.take, a.drop = take, drop
	err := a.raw.Read(a.try)
	a.take, a.drop = nil, nil
	switch {
	case err != nil:
		return 0, err // it was not tried, or waited for in vain
	case a.n == 0 && a.err == nil:
		return 0, io.EOF
	}
	return a.n, a.err
}

// readNow reports whether there was something to read, if only the end.
func (a *attempt) readNow(fd uintptr) bool {
	a.n, a.err = readNow(fd, a.take())
	if a.err == syscall.EAGAIN {
		a.drop()
		return false
	}
	return true
}

// smallBuffer is how much is read by one who waits with a buffer.
const smallBuffer = 2 << 10

// A waiter waits with a small buffer, and reads into the one that is lent only
// when the small one was full: then there may be more at once.
type waiter struct {
	small []byte
	rest  []byte // of what was read, not yet handed on
	more  bool   // small was full the last time
}

func (w *waiter) read(f *os.File, take func() []byte, drop func()) (int, error) {
	switch {
	case len(w.rest) > 0:
		return w.next(take()), nil
	case w.more:
		n, err := f.Read(take())
		w.more = n >= smallBuffer
		return n, err
	}
	drop()
	n, err := f.Read(w.small)
	if n == 0 {
		return 0, err
	}
	w.rest, w.more = w.small[:n], n == smallBuffer
	return w.next(take()), nil
}

// next hands on what was read before.
func (w *waiter) next(p []byte) int {
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n
}
