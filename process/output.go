package process

import (
	"errors"
	"io"
	"os"
	"time"
)

// tailLimit is how much an Output reads of what a pipe holds after it was cut
// off: more than any pipe can hold (pipe(7): /proc/sys/fs/pipe-max-size is
// 1 MiB), so that it bounds only a writer that goes on.
const tailLimit = 1 << 20

// An Output is the reading end of a child's standard output or error: of a pipe, or of
// a terminal, which holds less. It belongs to one goroutine.
type Output struct {
	f       *os.File
	ended   chan struct{} // closed when nothing more is read
	tail    int           // bytes read since the output was cut off
	watched int32         // the file descriptor that WhenReadable watches, or 0
	wide    widening
	lent    *attempt // ReadTo where a read can be tried; made by the first
	waiting *waiter  // and where it cannot
}

func newOutput(f *os.File) *Output { return &Output{f: f, ended: make(chan struct{})} }

// Read reads what the child has written. It returns io.EOF when nobody holds
// the writing end any more, or when End has been called and the pipe is empty.
func (o *Output) Read(p []byte) (int, error) {
	if o.waiting != nil && len(o.waiting.rest) > 0 {
		return o.waiting.next(p), nil
	}
	n, err := o.f.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		n, err = o.readTail(p)
	}
	return n, o.noted(n, err)
}

// noted returns the error that a read reports. A read that brought as much as a
// pipe holds means that the child had to wait: then the pipe is widened.
func (o *Output) noted(n int, err error) error {
	if err != nil {
		o.Abandon()
		// All that goes wrong with a pipe is that it ends. A terminal's end is an
		// error on Linux: EIO, when nobody holds the other end and it is empty.
		return io.EOF
	}
	if n >= pipeSize && o.tail == 0 {
		o.wide.begin(o.f)
	}
	return nil
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

// readTail reads what the pipe holds, without waiting for more: what the
// child wrote before it exited is delivered, and a process that outlived it
// is not waited for.
func (o *Output) readTail(p []byte) (n int, err error) {
	raw, err := o.f.SyscallConn()
	if err != nil || o.tail >= tailLimit {
		return 0, io.EOF
	}
	if raw.Control(func(fd uintptr) { n, _ = readNow(fd, p) }) != nil || n == 0 {
		return 0, io.EOF
	}
	o.tail += n
	return n, nil
}

// close closes the pipe.
func (o *Output) close() error {
	o.wide.end()
	if err := o.f.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil // a terminal that was hung up
}

// cutOff makes Read return what there is without waiting. A pipe without
// deadlines (Windows) does not need one: the job object has ended every writer.
func (o *Output) cutOff() {
	_ = o.f.SetReadDeadline(time.Unix(0, 1))
	o.unwatch()
}
