package wire

import (
	"cmp"
	"errors"
	"io"
	"net"
	"syscall"
)

// A transport is the byte stream under a WebSocket. What a stream can do
// besides reading and writing is asked of it by the interfaces below, which
// TCP, unix sockets and TLS over either have as far as they can.
//
// Whoever waits for something to read holds no buffer: most connections wait
// most of the time. So a read is tried, and a buffer lent only when there is
// something. Where that cannot be tried (TLS, Windows) a small buffer waits.
type transport struct {
	net.Conn
	r      io.Reader       // what is read: Conn, unless its first bytes are buffered elsewhere
	try    syscall.RawConn // reads and writes can be tried; nil where they can only be waited for
	socket syscall.RawConn // the socket, also that under TLS; nil where there is none

	lender lender
	n      int   // what tryRead has read
	err    error // and why it could not
	small  *[SmallBuffer]byte
	more   bool // small was full the last time

	unwritten []byte
	writeErr  error

	tried, written func(fd uintptr) bool // tryRead and tryWrite, made once
}

// A lender lends a buffer to read into.
type lender interface {
	take() []byte // at least SmallBuffer bytes
	drop()        // there was nothing to read
	progress(int) // the socket took this many bytes
}

// What a stream may have beside net.Conn's methods. A type that embeds a socket
// and reads otherwise must not have its SyscallConn.
type (
	layered     interface{ NetConn() net.Conn } // TLS: what is under it
	closeWriter interface{ CloseWrite() error }
)

// init makes a transport of nc, which reads from r.
func (t *transport) init(nc net.Conn, r io.Reader, l lender) {
	t.Conn, t.r, t.lender = nc, r, l
	t.tried, t.written = t.tryRead, t.tryWrite
	t.socket = rawConn(under(nc))
	if canTry && t.socket != nil && under(nc) == nc && r == io.Reader(nc) {
		t.try = t.socket
	}
}

// under is the lowest of the layers.
func under(nc net.Conn) net.Conn {
	if l, ok := nc.(layered); ok {
		return under(l.NetConn())
	}
	return nc
}

func rawConn(nc net.Conn) syscall.RawConn {
	if s, ok := nc.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil { // fails on what is closed
			return raw
		}
	}
	return nil
}

// read reads once, like io.Reader, into what the lender lends.
func (t *transport) read() (int, error) {
	switch {
	case t.try != nil:
		if err := t.try.Read(t.tried); err == nil && t.n > 0 {
			return t.n, nil
		}
		// The end, a deadline, an error or EINTR: a plain Read returns the
		// right error, or tries again.
	case !t.more:
		t.lender.drop()
		if t.small == nil {
			t.small = new([SmallBuffer]byte)
		}
		n, err := t.r.Read(t.small[:])
		if n > 0 {
			copy(t.lender.take(), t.small[:n])
		}
		t.more = n == SmallBuffer
		return n, err
	}
	n, err := t.r.Read(t.lender.take())
	t.more = n >= SmallBuffer
	if n == 0 {
		t.lender.drop()
	}
	return n, err
}

// tryRead reports whether there was something to read, if only the end.
func (t *transport) tryRead(fd uintptr) bool {
	t.n, t.err = readNow(fd, t.lender.take())
	if errors.Is(t.err, syscall.EAGAIN) {
		t.lender.drop()
		return false
	}
	return true
}

// recordSize is what a record of TLS holds (RFC 8446, section 5.1). A larger Write
// becomes several records, but reports its progress only once, at the end.
const recordSize = 16 << 10

// writeAll writes p and tells the lender of its progress.
func (t *transport) writeAll(p []byte) (err error) {
	if t.try != nil {
		t.unwritten, t.writeErr = p, nil
		err = t.try.Write(t.written)
		t.unwritten = nil
		return cmp.Or(err, t.writeErr)
	}
	for len(p) > 0 && err == nil {
		var n int
		n, err = t.Conn.Write(p[:min(len(p), recordSize)])
		t.lender.progress(n)
		p = p[n:]
	}
	return err
}

// tryWrite reports whether there is nothing more to write.
func (t *transport) tryWrite(fd uintptr) bool {
	for len(t.unwritten) > 0 {
		n, err := writeNow(fd, t.unwritten)
		switch err {
		case nil:
			t.lender.progress(n)
			t.unwritten = t.unwritten[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			t.writeErr = err
			return true
		}
	}
	return true
}

// writeSome writes what the socket takes without waiting, which is nothing
// where that cannot be tried.
func (t *transport) writeSome(p []byte) (n int, err error) {
	if t.try == nil {
		return 0, nil
	}
	var writeErr error
	err = t.try.Write(func(fd uintptr) bool {
		n, writeErr = writeNow(fd, p)
		return true
	})
	if writeErr == syscall.EAGAIN || writeErr == syscall.EINTR {
		writeErr = nil
	}
	return n, cmp.Or(err, writeErr)
}

// closeWrite tells the peer that nothing follows, and reports whether it could.
// Over TLS it first says so by a close_notify (RFC 8446, section 6.1), without
// which the end might be an attacker's.
func (t *transport) closeWrite() bool {
	said := false
	for nc := t.Conn; nc != nil; {
		half, ok := nc.(closeWriter)
		if !ok || half.CloseWrite() != nil {
			return said
		}
		said = true
		l, ok := nc.(layered)
		if !ok {
			break
		}
		nc = l.NetConn()
	}
	return said
}

// saysGoodbye reports whether the peer has a farewell of its own to send before
// it closes, below the WebSocket's.
func (t *transport) saysGoodbye() bool { return under(t.Conn) != t.Conn }

// cut closes the connection without a farewell: the Close of a tls.Conn sends
// one first, and waits up to 5 s for a peer that takes nothing.
func (t *transport) cut() { _ = under(t.Conn).Close() }

// isGone reports whether the peer has closed its side, or the connection is
// broken, whatever has not been read yet. Only Linux can tell.
func (t *transport) isGone() bool {
	if t.socket == nil {
		return false
	}
	gone := false
	err := t.socket.Control(func(fd uintptr) { gone = hungUp(fd) })
	return err != nil || gone
}

// inFlight is how many bytes the peer's system has not yet taken, if that can
// be told.
func (t *transport) inFlight() (n int) {
	if t.socket != nil {
		_ = t.socket.Control(func(fd uintptr) { n, _ = unacked(fd) })
	}
	return n
}
