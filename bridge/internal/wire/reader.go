package wire

import (
	"errors"
	"io"
	"net"
	"time"
)

// A reader is what one goroutine at a time reads a Conn with.
type reader struct {
	inbox   Inbox
	buf     []byte // borrowed while there is something in it
	in      []byte // read and not yet handed out; lies in buf, came early or waited long
	checker frameChecker
	header  header  // of the frame that is being handed out
	left    uint64  // bytes of that frame which are still to be handed out
	handed  int64   // bytes of the message's payload that were handed out
	taken   Traffic // what was handed to the inbox
	failed  bool    // the socket cannot be read any more
	closed  *Ending // what the peer's close frame says

	answerAfter time.Duration // Options.AnswerAfter
	answer      *time.Timer   // sends the answer to closed, if that waits
}

// The bits of Conn.state.
const (
	heard = 1 << iota // set when the reader reads or begins to wait, cleared at each interval
	busy              // the reader is not at the socket
)

// A lower is a Conn as the library sees it: the net.Conn under the WebSocket.
// It hands out data frames that have been checked: headers only when they are whole,
// and never more than up to the end of a frame, so that what follows is still here and
// not in the library's buffer. The library does not see control frames: it would give up
// on one that takes 5 s, and answer a close frame at once.
type lower struct{ *Conn }

// Read returns ErrStopped once Stop was called, and an Ending for a frame that
// breaks the protocol, before anything of it was handed out.
func (c lower) Read(p []byte) (int, error) {
	r := &c.reader
	begins := r.left == 0
	if begins {
		if err := c.nextFrame(); err != nil {
			return 0, err
		}
	}
	for len(r.in) == 0 {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p[:min(uint64(len(p)), r.left)], r.in)
	r.in, r.left = r.in[n:], r.left-uint64(n)
	r.handed += int64(n)
	if begins && n > 0 {
		p[0] &^= rsv1Bit // the library shall not see that a message is compressed
	}
	return n, nil
}

// errPeerClosed is for a close frame, which reader.closed then has.
var errPeerClosed = errors.New("the peer has closed")

// nextFrame waits until a frame begins, checks it and makes it the one that is
// handed out. Control frames are not for the library. The error is errPeerClosed when a
// close frame comes.
func (c *Conn) nextFrame() error {
	r := &c.reader
	for {
		if err := r.checker.check(r.in); err != nil {
			return err
		}
		h := parseHeader(r.in)
		switch whole := uint64(len(r.in)) >= h.frameSize(); {
		case h.size == 0, h.isControl() && !whole:
			if err := c.fill(); err != nil {
				return err
			}
		case c.takeControl(h):
		default:
			if h.opcode() == opClose {
				payload := r.payload(h)
				if err := checkClose(payload); err != nil {
					return err
				}
				end := endingIn(payload)
				r.closed = &end
				return errPeerClosed
			}
			r.checker.next(h)
			r.header, r.left = h, h.frameSize()
			return nil
		}
	}
}

// payload returns a copy of the payload of the control frame that has come.
func (r *reader) payload(h header) []byte {
	payload := append([]byte(nil), r.in[h.size:h.frameSize()]...)
	if h.masked {
		applyMask(payload, h.key)
	}
	return payload
}

// takeControl takes a ping or a pong that has come whole and been checked, if the
// next frame is one. The library would deal with it too, but it gives up after 5 s,
// and its pong would wait for the socket.
func (c *Conn) takeControl(h header) bool {
	switch r := &c.reader; h.opcode() {
	case opPing:
		if !c.answers() {
			break
		}
		_ = c.control(appendFrame(nil, finBit|opPong, r.payload(h), c.masked))
	case opPong:
		c.gotPong(r.payload(h))
	default:
		return false
	}
	c.reader.in = c.reader.in[h.frameSize():]
	return true
}

// fill reads from the socket once, behind what there is. It may wait.
func (c *Conn) fill() error {
	r := &c.reader
	if c.isIn(stopped) {
		return ErrStopped
	}
	c.in.set(r.taken)
	if r.inbox != nil {
		r.inbox.Wait(len(r.in) > 0 || r.left > 0 || r.checker.open)
	}
	c.state.Store(heard)
	n, err := c.t.read()
	if n > 0 {
		c.state.Store(heard | busy)
		r.in = r.buf[:len(r.in)+n]
	}
	if n > 0 || err == nil {
		return nil // the error comes again
	}
	if c.isIn(stopped) {
		return ErrStopped
	}
	r.failed = true
	return c.lost()
}

// Close is for the library's CloseNow. It wakes the reader and leaves the rest to
// finish.
func (c lower) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == finished {
		return nil
	}
	return c.t.SetReadDeadline(longAgo)
}

// Write takes the library's control frames, each of which comes whole.
func (c lower) Write(p []byte) (int, error) {
	if err := c.control(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// The rest of net.Conn. The library sets no deadline on a context without one,
// and those that it sets must not take a phase's away.
func (c lower) SetDeadline(time.Time) error      { return nil }
func (c lower) SetReadDeadline(time.Time) error  { return nil }
func (c lower) SetWriteDeadline(time.Time) error { return nil }
func (c lower) LocalAddr() net.Addr              { return c.t.LocalAddr() }
func (c lower) RemoteAddr() net.Addr             { return c.t.RemoteAddr() }

// discard reads until the peer ends its side, for as long as the caller lets it.
func (c *Conn) discard() {
	r := &c.reader
	_, _ = io.Copy(io.Discard, c.t.r)
	r.in = nil
	c.drop()
}
