package wire

import (
	"context"
	"io"
	"slices"
)

// A Cursor is where one Conn reads a Log. One goroutine uses it.
type Cursor struct {
	log    *Log
	ring   *ring
	wake   chan struct{} // holds one when there may be more
	fallen func()        // called once when the next message was dropped; may be nil
	skips  bool          // goes on with the newest message then

	// Guarded by the log's mu.
	block   *block // that it stands in; nil: it stands before one
	seq     int64  // of block, or of the next one
	offset  int    // of block, up to where it was lent
	number  int64  // of the last message that was lent
	done    int64  // messages up to this number were sent, or passed over
	payload int    // bytes of block's payload that were lent
	sending bool   // what was lent last may not have been sent
	unasked int    // bytes that were sent since Ask said yes
}

// CursorOptions are how a Cursor reads.
type CursorOptions struct {
	From     int64  // the number of the first message; 0: that is told by Newest
	Newest   int64  // how many of the newest messages to begin with, as far as they are kept
	Compress bool   // it gets messages compressed
	Skip     bool   // it goes on with the newest message when it is too slow
	Fallen   func() // called once when it has become too slow, if not nil; it must not call the Log
}

// NewCursor returns a Cursor that reads from a message on, without a gap. The
// error is ErrNotKept, for a message that is none of those kept nor the next.
func (l *Log) NewCursor(o CursorOptions) (*Cursor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from, first, next := o.From, l.plain.firstNumber(), l.plain.next
	if from == 0 {
		from = max(first, next-o.Newest)
	}
	if from < first || from > next {
		return nil, ErrNotKept
	}
	c := &Cursor{log: l, ring: &l.plain, wake: make(chan struct{}, 1), fallen: o.Fallen, skips: o.Skip}
	if o.Compress {
		if l.packed == nil {
			l.packed = newPacker(&l.plain)
		}
		l.packed.cursors++
		c.ring = &l.packed.ring
	}
	c.place(from)
	l.cursors = append(l.cursors, c)
	return c, nil
}

// Number is that of the last message before the one that comes next.
func (c *Cursor) Number() int64 {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.number
}

// Close ends the use of a Cursor.
func (c *Cursor) Close() {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	c.unplace()
	if i := slices.Index(l.cursors, c); i >= 0 {
		l.cursors = slices.Delete(l.cursors, i, i+1)
		if c.ring != &l.plain && l.packed != nil {
			l.packed.cursors--
		}
	}
	if i := slices.Index(l.parked, c); i >= 0 {
		l.parked = slices.Delete(l.parked, i, i+1)
	}
	l.lead = 0
	for _, other := range l.cursors {
		l.lead = max(l.lead, other.done)
	}
	l.signal()
}

// Next waits for more and lends it to a batch, which must be sent before Next is
// called again. The error is io.EOF after the end, ErrNotKept, or that of ctx.
func (c *Cursor) Next(ctx context.Context, b *Batch) error {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	c.sent()
	for {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case l.cut:
			return io.EOF
		case c.isBehind() && !c.skips:
			return ErrNotKept
		case c.isBehind():
			c.unplace()
			c.place(max(l.plain.next-1, c.number+1))
		}
		if c.lend(b) {
			return nil
		}
		if l.ended {
			return io.EOF
		}
		l.parked = append(l.parked, c)
		l.mu.Unlock()
		select {
		case <-c.wake:
		case <-ctx.Done():
		}
		l.mu.Lock()
	}
}

// place puts a cursor before a message.
func (c *Cursor) place(number int64) {
	c.seq, c.block, c.offset, c.payload, c.number = c.ring.seq, nil, 0, 0, number-1
	c.passed(number - 1)
	for i, b := range c.ring.blocks {
		last := i == len(c.ring.blocks)-1
		if number > b.lastNumber()+1 || number == b.lastNumber()+1 && (!last || b.sealed && !c.ring.open) {
			continue
		}
		c.block, c.seq = b, b.seq
		b.held++
		for n := b.number; n < number; {
			h := parseHeader(b.frames[c.offset:])
			c.offset += int(h.frameSize())
			c.payload += int(h.length)
			if h.fin() {
				n++
			}
		}
		for _, later := range c.ring.blocks[i:] {
			later.awaited++
		}
		return
	}
}

// unplace takes a cursor out of the ring.
func (c *Cursor) unplace() {
	for _, b := range c.ring.blocks {
		if b.seq >= c.seq {
			b.awaited--
		}
	}
	if b := c.block; b != nil {
		c.block = nil
		b.held--
		b.recycle()
	}
	c.seq = c.ring.seq
}

// sent takes note that what was lent has been sent.
func (c *Cursor) sent() {
	if !c.sending {
		return
	}
	c.sending = false
	c.log.signal()
	if b := c.block; b != nil && b.sealed && c.offset == len(b.frames) {
		c.leaveBlock()
	}
}

// leaveBlock goes on to the next block.
func (c *Cursor) leaveBlock() {
	b, l := c.block, c.log
	c.block, c.seq, c.offset, c.payload = nil, b.seq+1, 0, 0
	b.held--
	b.awaited--
	c.passed(b.lastNumber())
	b.recycle()
	l.signal()
}

// passed notes that messages up to a number need not be kept for the cursor.
func (c *Cursor) passed(number int64) {
	c.done = number
	c.log.lead = max(c.log.lead, number)
}

// isBehind reports whether the next block was dropped. A block that the cursor
// stands in is its own.
func (c *Cursor) isBehind() bool { return c.block == nil && c.seq < c.ring.firstSeq() }

// hasFallen reports whether isBehind is or will be true.
func (c *Cursor) hasFallen() bool {
	return c.isBehind() || c.block != nil && c.block.seq+1 < c.ring.firstSeq()
}

// WantsAcknowledgement reports, after what was lent has been sent, whether the
// Log needs to be told what has arrived. The answer counts as the question.
func (c *Cursor) WantsAcknowledgement() bool {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.sent()
	return c.asks(c.log.limit / 4)
}

// WantsItAtRest is WantsAcknowledgement for whoever does not know whether
// something is being sent: then it is not for him to ask.
func (c *Cursor) WantsItAtRest() bool {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return !c.sending && c.asks(1)
}

func (c *Cursor) asks(from int) bool {
	if c.unasked == 0 || !c.log.waiting && c.unasked < from {
		return false
	}
	c.unasked = 0
	return true
}

// lend lends what is there to a batch, and reports whether there is something.
func (c *Cursor) lend(b *Batch) bool {
	if c.block != nil && c.block.sealed && c.offset == len(c.block.frames) {
		c.leaveBlock() // it was sealed when all was sent
	}
	if c.block == nil {
		i := c.seq - c.ring.firstSeq()
		if i < 0 || i >= int64(len(c.ring.blocks)) {
			return false
		}
		c.block = c.ring.blocks[i]
		c.block.held++
	}
	from := c.block
	if c.offset == len(from.frames) {
		return false
	}
	last := from.lastNumber()
	c.log.lent = max(c.log.lent, last)
	c.unasked += len(from.frames) - c.offset
	b.lend(from.frames[c.offset:], int(last-c.number), from.payload-c.payload, last)
	c.offset, c.payload, c.number, c.sending = len(from.frames), from.payload, last, true
	return true
}
