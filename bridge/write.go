package bridge

import (
	"bytes"
	"cmp"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/process"
)

// Write takes the library's control frames, each of which comes whole. It
// answers a close frame with the same bytes before anybody has seen them: a
// reason that is not UTF-8 stops here.
func (c *conn) Write(p []byte) (int, error) {
	frame := p
	if p[0]&0xf == opClose && !utf8.Valid(closeReason(p)) {
		frame = closeFrame(errReasonNotUTF8, c.masked)
	}
	if err := c.control(frame); err != nil {
		return 0, err
	}
	return len(p), nil
}

// control sends a control frame without waiting for the socket.
func (c *conn) control(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closeSent || c.phase == finished { // finish has counted who still writes
		return errCloseSent
	}
	if c.err != nil {
		return c.err
	}
	c.closeSent = frame[0]&0xf == opClose
	if !c.writing {
		frame = frame[c.writeNow(frame):]
		if len(frame) == 0 || c.err != nil {
			return nil
		}
		c.writing = true
		rest := bytes.Clone(frame) // not queued: what is queued may be forgotten
		c.wg.Go(func() { c.flush(rest) })
		return nil
	}
	if len(c.queue)+len(frame) > maxQueue {
		c.queue = c.queue[:0]
	}
	c.queue = append(c.queue, frame...)
	return nil
}

// writeNow writes what the socket takes without waiting. Nobody else writes,
// and c.mu is locked.
func (c *conn) writeNow(p []byte) (n int) {
	if c.raw == nil {
		return 0
	}
	var writeErr error
	err := c.raw.Write(func(fd uintptr) bool {
		n, writeErr = process.WriteNow(fd, p)
		return true
	})
	if writeErr != syscall.EAGAIN && writeErr != syscall.EINTR {
		c.note(cmp.Or(err, writeErr))
	}
	return n
}

// flush writes what is left of a control frame, and what was queued meanwhile.
func (c *conn) flush(rest []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(rest, c.queue...)
	c.release()
}

// release ends a write: it sends the frames that were queued meanwhile, with
// c.mu unlocked while the socket takes them.
func (c *conn) release() {
	for len(c.queue) > 0 && c.err == nil {
		frames := c.queue
		c.queue = nil
		c.mu.Unlock()
		_, err := c.Conn.Write(frames)
		c.mu.Lock()
		c.note(err)
	}
	c.writing = false
	c.free.Broadcast()
}

// note keeps the first error of a write. c.mu is locked.
func (c *conn) note(err error) {
	if err == nil || c.err != nil {
		return
	}
	c.err = err
	if c.phase == reading {
		// What the peer sent before it went may still be read, a close
		// frame among it.
		_ = c.SetReadDeadline(time.Now().Add(closeLimit))
		c.lost()
	}
}

// writeData writes whole data frames and waits until the socket has them.
func (c *conn) writeData(frames []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writing {
		c.free.Wait()
	}
	if c.closeSent {
		return errCloseSent
	}
	if c.err != nil {
		return c.err
	}
	c.writing = true
	c.mu.Unlock()
	err := c.write(frames)
	c.mu.Lock()
	c.note(err)
	c.release()
	return c.err
}

// write writes to the socket, so that progress shows. Its caller has set
// c.writing.
func (c *conn) write(p []byte) (err error) {
	if c.raw != nil {
		c.unwritten, c.writeErr = p, nil
		err = c.raw.Write(c.tried)
		c.unwritten = nil
		return cmp.Or(err, c.writeErr)
	}
	for len(p) > 0 && err == nil {
		var n int
		n, err = c.Conn.Write(p[:min(len(p), largeBuffer)])
		c.progress(n)
		p = p[n:]
	}
	return err
}

// progress notes that the socket took n bytes of data.
func (c *conn) progress(n int) {
	c.written.Add(int64(n))
	if c.sent != nil {
		c.sent()
	}
}

// tryWrite reports whether there is nothing more to write.
func (c *conn) tryWrite(fd uintptr) bool {
	for len(c.unwritten) > 0 {
		n, err := process.WriteNow(fd, c.unwritten)
		switch err {
		case nil:
			c.progress(n)
			c.unwritten = c.unwritten[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			c.writeErr = err
			return true
		}
	}
	return true
}
