package process

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// ReadTo is Read into a buffer that it borrows: take lends it, at least one
// byte, and whoever waits holds none. While there is nothing to read, and at
// the end, drop gives it back; then take is called again. Where a read cannot
// be tried (Windows) a small buffer of its own waits.
//
// ReadTo itself allocates nothing; take and drop should be made once.
func (o *Output) ReadTo(take func() []byte, drop func()) (int, error) {
	return o.readTo(canTry, take, drop)
}

func (o *Output) readTo(try bool, take func() []byte, drop func()) (n int, err error) {
	if try {
		n, err = o.lent.read(o.f, take, drop)
	} else {
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
	raw   syscall.RawConn
	tried func(fd uintptr) bool // try, made once

	// Of the read that is under way.
	take func() []byte
	drop func()
	n    int
	err  error
}

func (a *attempt) read(f *os.File, take func() []byte, drop func()) (int, error) {
	if a.raw == nil {
		raw, err := f.SyscallConn()
		if err != nil {
			return 0, err
		}
		a.raw, a.tried = raw, a.try
	}
	a.take, a.drop, a.n, a.err = take, drop, 0, nil
	err := a.raw.Read(a.tried)
	a.take, a.drop = nil, nil
	switch {
	case err != nil:
		return 0, err // it was not tried, or waited for in vain
	case a.n == 0 && a.err == nil:
		return 0, io.EOF
	}
	return a.n, a.err
}

// try reports whether there was something to read, if only the end.
func (a *attempt) try(fd uintptr) bool {
	p := a.take()
	for {
		a.n, a.err = readNow(fd, p)
		switch a.err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			a.drop()
			return false
		default:
			return true
		}
	}
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
	if w.small == nil {
		w.small = make([]byte, smallBuffer)
	}
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
