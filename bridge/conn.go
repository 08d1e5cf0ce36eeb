package bridge

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A conn is the net.Conn under the WebSocket. The library reads frames from
// it and writes control frames to it; data frames are the session's own.
//
// One goroutine reads. Writes come from several, and a frame is never cut in
// two by another: data is written by the goroutine that has it, which waits
// for the socket as long as it must. Control frames never make their sender
// wait: they leave at once, as far as the socket takes them, and the rest
// through a goroutine of its own. While a write is under way they are queued,
// and leave when it is done.
//
// The read deadline belongs to the phase: the reader has none, except after
// a write has failed (closeLimit, to find out why); stop and the library's
// Close wake the reader by one that has passed; resume and finish take it
// back for whoever reads next, and after finish nobody sets it any more.
type conn struct {
	net.Conn
	r      io.Reader // what is read; Conn, unless bytes are buffered elsewhere
	masked bool      // this is a client's end: frames out are masked

	compress   bool // messages may be compressed; set by the handshake
	compressed bool // the message is that the library reads; owned by the reader

	idle func() // called by the reader before a read that may block
	got  func() // called by the reader after a read
	lost func() // called when a write has failed
	sent func() // called when the socket took data; may be nil

	// Owned by the reader.
	source readyReader
	buf    []byte       // borrowed while there is something in it
	in     []byte       // read and not yet handed out; lies in buf, came early or waited long
	frames frameScanner // over what was handed out
	failed error        // why the socket cannot be read any more

	// Owned by whoever has set writing.
	raw       syscall.RawConn // nil where a write cannot be tried
	tried     func(fd uintptr) bool
	unwritten []byte
	writeErr  error

	heard   atomic.Bool  // something was read since it was last asked
	written atomic.Int64 // bytes of data that the socket took

	mu        sync.Mutex
	phase     phase
	free      sync.Cond // signalled when writing becomes false
	writing   bool      // somebody is in Conn.Write
	queue     []byte    // control frames that wait for the end of a frame
	closeSent bool      // a close frame was queued: nothing may follow it
	err       error     // why the socket cannot be written any more
	wg        sync.WaitGroup
}

// A phase is who reads a conn.
type phase int

const (
	reading  phase = iota // the session's reader
	stopped               // nobody: the reader shall leave
	resumed               // the library, for the close handshake
	finished              // finish, to the end
)

// maxQueue bounds the control frames that wait. When more come, those waiting
// are forgotten: of several pings only the latest must be answered (RFC 6455,
// section 5.5.3).
const maxQueue = 4 << 10

const (
	closeLimit  = 5 * time.Second // for the peer to answer a close frame
	lingerLimit = time.Second     // for it to end the connection when there is nothing more to say
)

var (
	errStopped   = errors.New("the reader was asked to stop")
	errCloseSent = errors.New("a close frame was sent")

	longAgo = time.Unix(0, 1)
)

// newConn wraps nc. The bytes in early are read first; they came with the
// handshake.
func newConn(nc net.Conn, r io.Reader, early []byte) *conn {
	c := &conn{Conn: nc, r: r, in: early}
	c.free.L = &c.mu
	var waits syscall.Conn
	switch r := r.(type) { // not what merely embeds one, and may read otherwise
	case *net.TCPConn:
		waits = r
	case *net.UnixConn:
		waits = r
	}
	c.source.init(r, waits, c.take, c.drop)
	c.raw, c.tried = c.source.raw, c.tryWrite
	return c
}

// take and drop borrow buf. What is in it, the beginning of a frame, stays
// before what is read.
func (c *conn) take() []byte {
	if c.buf == nil {
		c.buf = getLarge()[:largeBuffer]
	}
	if len(c.in) > 0 && &c.in[0] != &c.buf[0] {
		c.in = c.buf[:copy(c.buf, c.in)]
	}
	return c.buf[len(c.in):]
}

func (c *conn) drop() {
	switch {
	case c.buf == nil || len(c.in) > smallBuffer: // not worth a copy for each packet
		return
	case len(c.in) > 0:
		c.in = bytes.Clone(c.in)
	}
	putBuffer(c.buf)
	c.buf = nil
}

// Read hands out what was read from the socket, and reads more when nothing
// is left; never more than up to the end of a frame, so that what follows a
// message is still here and not in the library's buffer. It returns errStopped
// once stop was called.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.in) == 0 {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	begins := c.frames.between()
	n, err := c.frames.advance(c.in[:min(len(c.in), len(p))])
	copy(p, c.in[:n])
	c.in = c.in[n:]
	if n == 0 {
		return 0, err
	}
	if begins {
		p[0] = c.begin(p[0])
	}
	return n, nil // an error comes again
}

// begin takes note of a frame's first byte and returns it for the library,
// which shall not see that a message is compressed.
func (c *conn) begin(first byte) byte {
	if opcode := first & 0xf; opcode == opText || opcode == opBinary {
		c.compressed = c.compress && first&rsv1Bit != 0
		if c.compressed {
			first &^= rsv1Bit
		}
	}
	return first
}

// fill reads from the socket once, behind what there is, which is less than a
// frame that can be whole. It may wait.
func (c *conn) fill() error {
	if c.isStopped() {
		return errStopped
	}
	// The library gives up on a control frame whose payload takes more
	// than 5 s: that is no moment to wait for the child.
	if c.idle != nil && !c.frames.inControl() {
		c.idle()
	}
	n, err := c.source.read()
	if n > 0 {
		c.heard.Store(true)
		c.got()
		c.in = c.buf[:len(c.in)+n]
	}
	if n > 0 || err == nil {
		return nil // the error comes again
	}
	if c.isStopped() {
		return errStopped
	}
	c.failed = err
	return err
}

// stop makes the reader return errStopped when it has no more to hand out.
func (c *conn) stop() { c.enter(stopped, longAgo) }

// resume makes reading possible again, for the library.
func (c *conn) resume() { c.enter(resumed, time.Time{}) }

// enter begins a phase with a read deadline, unless finish has begun.
func (c *conn) enter(p phase, deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != finished {
		c.phase = p
		_ = c.SetReadDeadline(deadline)
	}
}

func (c *conn) isStopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == stopped
}

// Close is for the library, which closes the connection as soon as it has
// queued a close frame. It wakes the reader and leaves the rest to finish.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == finished {
		return nil
	}
	return c.SetReadDeadline(longAgo)
}

// cut ends the connection at once; reads and writes under way fail.
func (c *conn) cut() { _ = closeAtOnce(c.Conn) }

// finish ends the connection without destroying what is under way. It waits
// until everything is written. If the peer may still be sending, it then says
// that nothing follows, and discards what comes until the peer ends its side
// too: a socket closed with bytes unread is reset, and a reset overtakes data
// (RFC 6455, section 7.1.1). The caller has taken the reader's place.
func (c *conn) finish(linger time.Duration) {
	c.enter(finished, time.Time{})
	t := time.AfterFunc(closeLimit, c.cut)
	defer t.Stop()
	c.wg.Wait()
	c.mu.Lock()
	for c.writing {
		c.free.Wait()
	}
	c.mu.Unlock()
	if linger > 0 && closeWrite(c.Conn) {
		t.Reset(linger)
		_, _ = io.Copy(io.Discard, c.r)
	}
	c.cut()
	c.in = nil
	c.drop()
}
