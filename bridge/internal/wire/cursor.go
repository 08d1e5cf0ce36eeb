package wire

import (
	"context"
	"io"
	"slices"
)

// A Cursor reads a Log for one Conn. It belongs to one goroutine.
type Cursor struct {
	log    *Log
	ring   *ring
	wake   chan struct{} // gets a value when there may be more to read
	fallen func()        // called once when the next message has been dropped; may be nil
	skips  bool          // continues with the newest message then

	// Guarded by the log's mu.
	block   *block // the one that it reads; nil if it waits for the next one
	seq     int64  // of block, or of the next one
	offset  int    // bytes of block that were lent
	number  int64  // of the last message that was lent
	done    int64  // messages up to this number were sent or skipped
	payload int    // bytes of block's payload that were lent
	sending bool   // what was lent last may still be on its way to the socket
	unasked int    // bytes lent since the last yes of WantsAcknowledgement or WantsItAtRest
}

// CursorOptions say where a Cursor begins and how it reads.
type CursorOptions struct {
	From     int64  // the number of the first message; 0 leaves it to Newest
	Newest   int64  // how many of the newest messages come first, as far as they are kept
	Compress bool   // reads compressed messages
	Skip     bool   // continues with the newest message when it is too slow
	Fallen   func() // if not nil, called once when it is too slow; must not call the Log
}

// NewCursor returns a Cursor that reads from a message on, without a gap. The error
// is ErrNotKept if that message is neither kept nor the next one to come.
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

// Number returns the number of the last message that was lent; the next one follows it.
func (c *Cursor) Number() int64 {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.number
}

// Close takes a Cursor from its Log, which then keeps nothing for it.
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

// Next waits for more messages and lends them to a batch, which must be sent before
// Next is called again. The error is io.EOF after the end of the Log, ErrNotKept if
// the Cursor is too slow, or the cause of ctx.
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
			c.place(max(l.plain.next-1, c.ring.firstNumber(), c.number+1))
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

// place makes a message the next one that the Cursor reads.
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

// unplace lets the ring drop its blocks without regard to the Cursor.
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

// sent notes that what was lent last has been sent.
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

// leaveBlock moves the Cursor on to the next block.
func (c *Cursor) leaveBlock() {
	b, l := c.block, c.log
	c.block, c.seq, c.offset, c.payload = nil, b.seq+1, 0, 0
	b.held--
	b.awaited--
	c.passed(b.lastNumber())
	b.recycle()
	l.signal()
}

// passed notes that the Cursor needs no messages up to a number any more.
func (c *Cursor) passed(number int64) {
	c.done = number
	c.log.lead = max(c.log.lead, number)
}

// isBehind reports whether the Cursor's next block was dropped. The block that it
// reads stays readable when it is dropped.
func (c *Cursor) isBehind() bool { return c.block == nil && c.seq < c.ring.firstSeq() }

// hasFallen reports whether isBehind is true, or will be after the present block.
func (c *Cursor) hasFallen() bool {
	return c.isBehind() || c.block != nil && c.block.seq+1 < c.ring.firstSeq()
}

// WantsAcknowledgement reports whether the client should be asked what has arrived. It
// is called when what was lent has been sent. The caller must ask after a yes: the next
// one comes only when more has been lent.
func (c *Cursor) WantsAcknowledgement() bool {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.sent()
	return c.asks(c.log.limit / 4)
}

// WantsItAtRest is WantsAcknowledgement for other goroutines. It says no while
// something is being sent, because the Cursor's own goroutine asks after that.
func (c *Cursor) WantsItAtRest() bool {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return !c.sending && c.asks(1)
}

// IsAwaited reports whether the Log waits for room and the Cursor has sent all that it
// holds, so that only an acknowledgement can make room.
func (c *Cursor) IsAwaited() bool {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.log.waiting && !c.sending && c.number == c.log.plain.next-1
}

// IsSending reports whether what was lent may not have been sent yet.
func (c *Cursor) IsSending() bool {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.sending
}

func (c *Cursor) asks(from int) bool {
	if c.unasked == 0 || !c.log.waiting && c.unasked < from {
		return false
	}
	c.unasked = 0
	return true
}

// lend lends the rest of a block to a batch, and reports whether there is any.
func (c *Cursor) lend(b *Batch) bool {
	if c.block != nil && c.block.sealed && c.offset == len(c.block.frames) {
		c.leaveBlock() // it was sealed after all of it had been sent
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
