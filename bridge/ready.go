package bridge

import (
	"errors"
	"io"
	"runtime"
	"syscall"

	"github.com/wsbridge/wsbridge/process"
)

// canTry says that reads and writes can be tried on what has a
// syscall.RawConn.
const canTry = runtime.GOOS != "windows"

// A readyReader reads into a buffer that it borrows when there is something
// to read: whoever waits holds none, and most connections wait most of the
// time. Where the system cannot tell, a small buffer waits.
type readyReader struct {
	r    io.Reader
	raw  syscall.RawConn // of r; nil where a read cannot be tried
	take func() []byte   // lends at least smallBuffer bytes to read into
	drop func()          // gives them back: there was nothing to read

	n   int   // what try has read
	err error // and why it could not

	tried func(fd uintptr) bool // try, made once

	small []byte
	more  bool // small was full the last time
}

// init makes rr read from r. With waits it is r's own that tells when there
// is something to read.
func (rr *readyReader) init(r io.Reader, waits syscall.Conn, take func() []byte, drop func()) {
	rr.r, rr.take, rr.drop = r, take, drop
	if waits != nil && canTry {
		rr.raw, _ = waits.SyscallConn() // fails on what is closed: then r tells
	}
	rr.tried = rr.try
}

// read reads once, like io.Reader, into what take lends.
func (rr *readyReader) read() (int, error) {
	switch {
	case rr.raw != nil:
		if err := rr.raw.Read(rr.tried); err == nil && rr.n > 0 {
			return rr.n, nil
		}
		// The end, a deadline, an error, or it is to be tried again: r has a
		// name for it.
	case !rr.more:
		rr.drop()
		if rr.small == nil {
			rr.small = make([]byte, smallBuffer)
		}
		n, err := rr.r.Read(rr.small)
		if n > 0 {
			copy(rr.take(), rr.small[:n])
		}
		rr.more = n == smallBuffer
		return n, err
	}
	n, err := rr.r.Read(rr.take())
	rr.more = n >= smallBuffer
	if n == 0 {
		rr.drop()
	}
	return n, err
}

// try reports whether there was something to read, if only the end.
func (rr *readyReader) try(fd uintptr) bool {
	rr.n, rr.err = process.ReadNow(fd, rr.take())
	if errors.Is(rr.err, syscall.EAGAIN) {
		rr.drop()
		return false
	}
	return true
}
