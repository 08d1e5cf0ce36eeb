package process

import (
	"os"
	"sync/atomic"
	"syscall"
)

// An Input is the writing end of a child's standard input. One goroutine at a
// time may write to it; any may close it.
type Input struct {
	f    *os.File
	raw  syscall.RawConn
	wide widening

	keep   func() bool // reports whether Close leaves the file open; nil: it does not
	closed atomic.Bool // a write that begins later does nothing

	// What TryWrite is about, kept here because its closure must not
	// allocate each time.
	try func(fd uintptr) bool
	p   []byte
	n   int
	err error
}

func newInput(f *os.File) *Input {
	in := &Input{f: f}
	in.raw, _ = f.SyscallConn() // fails on a closed file only
	in.try = func(fd uintptr) bool {
		in.n, in.err = writeNow(fd, in.p)
		return true
	}
	return in
}

// Write writes all of p, waiting for the child to read as long as it takes.
// Close makes it return, or else (on Windows, and where the child holds the
// lock of the pipe) End. Its error wraps syscall.EPIPE when the child has
// closed its standard input, and os.ErrClosed after Close.
func (in *Input) Write(p []byte) (int, error) {
	if in.closed.Load() {
		return 0, os.ErrClosed
	}
	return in.f.Write(p)
}

// TryWrite writes as much of p as the pipe takes without waiting and returns
// how much that was. Where the system cannot tell (Windows) it is nothing.
// Its errors are those of Write.
func (in *Input) TryWrite(p []byte) (int, error) {
	if in.closed.Load() {
		return 0, os.ErrClosed
	}
	done := 0
	for done < len(p) {
		in.p = p[done:]
		err := in.raw.Write(in.try)
		in.p = nil
		if err != nil {
			return done, os.ErrClosed // it was not tried
		}
		done += in.n
		switch in.err {
		case nil, syscall.EINTR:
		case syscall.EAGAIN:
			if !in.wide.begin(in.f) {
				return done, nil
			}
		default:
			return done, in.err
		}
	}
	return done, nil
}

// Close closes the pipe: the child reads what is in it and then end of file.
// It does not wait until the pipe is closed. Where the child holds the lock of the
// pipe (see splice(2)), and on Windows while a write is under way, that may take until
// the child has ended, and must not hold up the caller, who may be about to end it. A
// process outside the group may hold the lock too, so nobody waits for it.
//
// A Terminal is hung up, unless the child has exited: then its output is still read, and
// Process.Close closes the file.
func (in *Input) Close() error {
	if in.closed.Swap(true) {
		return os.ErrClosed
	}
	if in.keep != nil && in.keep() {
		return nil
	}
	go func() {
		in.f.Close()
		in.wide.end() // after: a TryWrite may be about to widen the pipe
	}()
	return nil
}
