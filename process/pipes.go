package process

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// An Input is the writing end of a child's standard input. One goroutine at a
// time may write to it; any may close it.
type Input struct {
	f    *os.File
	raw  syscall.RawConn
	wide widening

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
		in.n, in.err = WriteNow(fd, in.p)
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
// It does not wait for that: where the child holds the lock of the pipe (see
// splice(2)), and on Windows while a write is under way, it may take until the
// child has ended, and whoever is to end the child must not be held up by it.
// Nobody waits for it at all: the lock may be held from outside of the group.
func (in *Input) Close() error {
	if in.closed.Swap(true) {
		return os.ErrClosed
	}
	go func() {
		in.f.Close()
		in.wide.end() // after: a TryWrite may be about to widen the pipe
	}()
	return nil
}

// tailLimit is how much an Output reads of what a pipe holds after it was cut
// off: more than any pipe can hold (pipe(7): /proc/sys/fs/pipe-max-size is
// 1 MiB), so that it bounds only a writer that goes on.
const tailLimit = 1 << 20

// An Output is the reading end of a child's standard output or error. It
// belongs to one goroutine.
type Output struct {
	f       *os.File
	ended   chan struct{} // closed when nothing more is read
	tail    int           // bytes read since the output was cut off
	watched int32         // the file descriptor that WhenReadable watches, or 0
	wide    widening
}

func newOutput(f *os.File) *Output { return &Output{f: f, ended: make(chan struct{})} }

// Read reads what the child has written. It returns io.EOF when nobody holds
// the writing end any more, or when End has been called and the pipe is empty.
func (o *Output) Read(p []byte) (int, error) {
	n, err := o.f.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		n, err = o.readTail(p)
	}
	if err != nil {
		err = io.EOF // a pipe has no other errors, a closed one but ends
		o.Abandon()
	}
	return n, err
}

// Abandon says that nothing more is read, so that End need not wait for the
// end of the output.
func (o *Output) Abandon() {
	select {
	case <-o.ended:
	default:
		close(o.ended)
	}
}

// SyscallConn is for a reader that has no buffer to spare while it waits. What
// it tries on the pipe is Read's again when it finds the end or a deadline.
func (o *Output) SyscallConn() (syscall.RawConn, error) { return o.f.SyscallConn() }

// readTail reads what the pipe holds, without waiting for more: what the
// child wrote before it exited is delivered, and a process that outlived it
// is not waited for.
func (o *Output) readTail(p []byte) (n int, err error) {
	raw, err := o.f.SyscallConn()
	if err != nil || o.tail >= tailLimit {
		return 0, io.EOF
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		if raw.Control(func(fd uintptr) { n, err = ReadNow(fd, p) }) != nil {
			return 0, io.EOF
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	o.tail += n
	return n, nil
}

// PipeSize is how much a pipe holds before the writer has to wait (pipe(7)).
const PipeSize = 64 << 10

// wideSize is what a pipe holds that was widened. What a user's pipes may hold
// together is limited (pipe(7): /proc/sys/fs/pipe-user-pages-soft, 64 MiB), and
// beyond it new ones are tiny: only so many are widened at once.
const (
	wideSize = 256 << 10
	maxWide  = 64
)

// A widening makes a pipe that gets full hold four times as much, which saves
// both ends three of four waits.
type widening struct{ on atomic.Bool }

var widened atomic.Int32 // how many pipes are

// begin reports whether the pipe holds more from now on: only Linux can do
// that, only once, and only for some pipes at a time.
func (w *widening) begin(pipe *os.File) bool {
	if w.on.Load() {
		return false
	}
	if widened.Add(1) > maxWide {
		widened.Add(-1)
		return false
	}
	w.on.Store(true) // before, so that an end that comes meanwhile counts
	if !setPipeSize(pipe, wideSize) {
		w.end()
		return false
	}
	return true
}

func (w *widening) end() {
	if w.on.Swap(false) {
		widened.Add(-1)
	}
}

// Widen makes the pipe hold more. It reports whether it could, which is not
// sure, and only so once.
func (o *Output) Widen() bool { return o.wide.begin(o.f) }

// close closes the pipe.
func (o *Output) close() error {
	o.wide.end()
	return o.f.Close()
}

// cutOff makes Read return what there is without waiting. A pipe without
// deadlines (Windows) needs none: the job object has ended every writer.
func (o *Output) cutOff() {
	_ = o.f.SetReadDeadline(time.Unix(0, 1))
	o.unwatch()
}
