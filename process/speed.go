package process

import "syscall"

// PipeSize is how much a pipe holds before the writer has to wait (pipe(7)).
const PipeSize = pipeSize

// ReadNow is readNow for others.
func ReadNow(fd uintptr, p []byte) (n int, err error) { return readNow(fd, p) }

// WriteNow is writeNow for others.
func WriteNow(fd uintptr, p []byte) (n int, err error) { return writeNow(fd, p) }

// Widen makes the pipe hold more, if it can. It reports whether the pipe is
// wide.
func (o *Output) Widen() bool { return o.wide.begin(o.f) || o.wide.on.Load() }

// SyscallConn is for a reader that has no buffer to spare while it waits. What
// it tries on the pipe is Read's again when it finds the end or a deadline.
func (o *Output) SyscallConn() (syscall.RawConn, error) { return o.f.SyscallConn() }
