package wire

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// A writer is what a Conn writes with. A frame is never cut in two by another:
// data is written by the goroutine that has it, which waits for the socket as
// long as it must. Control frames never make their sender wait: they leave at
// once, as far as the socket takes them, and the rest through a goroutine of its
// own. While a write is under way they are queued, and leave when it is done.
type writer struct {
	taken atomic.Int64 // bytes of data that the socket took

	mu      sync.Mutex
	free    sync.Cond   // signalled when writing becomes false
	writing bool        // somebody writes to the transport
	data    bool        // and it is data, whose writer waits
	given   int64       // bytes of data that were to be written
	queue   []byte      // control frames that wait for the end of a frame
	closing *Ending     // the close frame that was sent; nothing may be sent after it
	verdict *Ending     // what answers the peer's close frame; nil echoes the peer's code
	err     error       // why the socket cannot be written any more
	late    *time.Timer // has the error told
	wg      sync.WaitGroup
}

// maxQueue bounds the control frames that wait. When more come, those waiting
// are forgotten: of several pings only the latest must be answered (RFC 6455,
// section 5.5.3).
const maxQueue = 4 << 10

var errCloseSent = errors.New("a close frame was sent")

func (w *writer) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err != nil
}

// waits reports whether somebody waits for the socket to take data.
func (w *writer) waits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.data
}

// position is how many bytes of data stand before the next control frame, and
// the last of the numbered messages, and whether other control frames wait for
// the end of the write under way.
func (c *Conn) position() (given, number int64, queued bool) {
	w := &c.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := c.life.numbers; n != nil {
		number = n.sent
	}
	return w.given, number, w.writing && len(w.queue) > 0
}

// Answer says how the WebSocket ends, whatever the peer may say from now on: if
// it closes first, that is what it is answered.
func (c *Conn) Answer(end Ending) {
	c.writer.mu.Lock()
	defer c.writer.mu.Unlock()
	c.writer.verdict = &end
}

// Send writes a batch and waits until the socket has all of it, which counts its
// messages as sent. The batch can then be filled again.
func (c *Conn) Send(b *Batch) error {
	if len(b.frames) == 0 {
		return nil
	}
	err := c.writeData(b)
	if err == nil {
		c.out.add(b.messages, b.bytes)
	}
	b.reset()
	return err
}

// control sends a control frame without waiting for the socket.
func (c *Conn) control(frame []byte) error {
	w := &c.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closing != nil || c.isIn(finished) { // finish may already be waiting for the writers
		return errCloseSent
	}
	if w.err != nil {
		return w.err
	}
	if frame[0]&0xf == opClose {
		if w.verdict != nil {
			frame = closeFrame(*w.verdict, c.masked)
		}
		end := closed(frame)
		w.closing = &end
	}
	if !w.writing {
		n, err := c.t.writeSome(frame)
		c.failWrite(err)
		frame = frame[n:]
		if len(frame) == 0 || w.err != nil {
			return nil
		}
		w.writing = true
		rest := bytes.Clone(frame) // not queued: what is queued may be forgotten
		w.wg.Go(func() { c.flush(rest) })
		return nil
	}
	if len(w.queue)+len(frame) > maxQueue {
		w.queue = w.queue[:0]
	}
	w.queue = append(w.queue, frame...)
	return nil
}

// flush writes what is left of a control frame, and what was queued meanwhile.
func (c *Conn) flush(rest []byte) {
	c.writer.mu.Lock()
	defer c.writer.mu.Unlock()
	c.writer.queue = append(rest, c.writer.queue...)
	c.release()
}

// release ends a write: it sends the frames that were queued meanwhile, with the
// lock released while the socket takes them.
func (c *Conn) release() {
	w := &c.writer
	for len(w.queue) > 0 && w.err == nil {
		frames := w.queue
		w.queue = nil
		w.mu.Unlock()
		_, err := c.t.Write(frames)
		w.mu.Lock()
		c.failWrite(err)
	}
	w.writing = false
	w.free.Broadcast()
}

// failWrite keeps the first error of a write. The writer is locked.
func (c *Conn) failWrite(err error) {
	if err == nil || c.writer.err != nil {
		return
	}
	c.writer.err = err
	if c.readOut() {
		// Receive may be blocked in the Inbox and never read the socket.
		c.writer.late = time.AfterFunc(closeLimit, func() { c.life.tell(Lost) })
	}
}

// writeData writes a batch and waits until the socket has it.
func (c *Conn) writeData(b *Batch) error {
	w := &c.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.writing {
		w.free.Wait()
	}
	if w.closing != nil {
		return errCloseSent
	}
	if w.err != nil {
		return w.err
	}
	w.writing, w.data = true, true
	w.given += int64(len(b.frames))
	if b.last > 0 && c.life.numbers != nil {
		c.life.numbers.sent = b.last
	}
	w.mu.Unlock()
	err := c.t.writeAll(b.frames)
	w.mu.Lock()
	w.data = false
	c.failWrite(err)
	c.release()
	return w.err
}

// progress notes that the socket took n bytes of data.
func (c *Conn) progress(n int) { c.writer.taken.Add(int64(n)) }

// awaitWriters waits until everything is written, or the socket has failed.
func (w *writer) awaitWriters() {
	w.wg.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.late != nil {
		w.late.Stop()
	}
	for w.writing {
		w.free.Wait()
	}
}

// said is the Ending that has been said in a close frame, and written.
func (w *writer) said() (Ending, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closing == nil || w.err != nil {
		return Ending{}, false
	}
	return *w.closing, true
}
