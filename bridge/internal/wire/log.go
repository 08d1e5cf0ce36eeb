package wire

import (
	"errors"
	"slices"
	"sync"
)

// A Log holds the newest messages of a program to its clients. They are encoded as
// frames once, and numbered from 1. One goroutine sends to the Log, as to a Conn.
// Each Cursor reads it at its own pace and lends out the frames without copying them.
//
// A Log holds no more bytes than its limit, except that a larger message is held
// alone. Its Retention says what may be dropped to make room; if nothing may, Send
// waits.
type Log struct {
	limit     int
	retention Retention
	full      func() // called when Send begins to wait for room; may be nil

	mu      sync.Mutex
	room    sync.Cond // signalled when there may be something to drop, or the Log is cut
	waiting bool      // Send waits for room
	plain   ring
	packed  *packer // the same messages compressed; nil until a Cursor wants them
	logMarks
	cursors []*Cursor
	parked  []*Cursor // those that wait for more
	ended   bool      // nothing more will come
	cut     bool      // nothing more is taken
}

// logMarks are how far the messages of a Log have come.
type logMarks struct {
	taken Traffic // all that was sent to the Log
	acked int64   // messages up to this number are known to have arrived
	lent  int64   // some Cursor has lent messages up to this number
	lead  int64   // some Cursor has sent or skipped messages up to this number
}

// A Retention says how long a Log holds a message when it needs the room.
type Retention int

const (
	UntilAcknowledged Retention = iota // until Acknowledge says that it has arrived
	UntilFirst                         // until the fastest Cursor has sent it; no longer if there is no Cursor
	UntilAll                           // until every Cursor has sent it
)

var (
	// ErrNotKept is for a Cursor whose next message was dropped, or whose first one
	// is not due yet.
	ErrNotKept = errors.New("the message is not kept")

	errCut = errors.New("the log takes no more")
)

// NewLog returns an empty Log that holds up to limit bytes. The Log calls full, if
// that is not nil, when Send begins to wait for room.
func NewLog(limit int, r Retention, full func()) *Log {
	l := &Log{limit: limit, retention: r, full: full}
	l.room.L = &l.mu
	l.plain.next = 1
	return l
}

// Send appends the messages of a batch, which must not be compressed. It waits for
// room, and returns an error only after Cut.
func (l *Log) Send(b *Batch) error {
	l.mu.Lock()
	for !l.makeRoom(len(b.frames)) && !l.cut {
		if full := l.full; full != nil && !l.waiting {
			l.waiting = true
			l.mu.Unlock()
			full()
			l.mu.Lock()
			continue
		}
		l.waiting = true
		l.room.Wait()
	}
	l.waiting = false
	if l.cut {
		l.mu.Unlock()
		return errCut
	}
	l.plain.append(b, len(l.cursors)-l.packedCursors())
	if l.packed != nil {
		l.packed.append(b.frames, l.packedCursors())
	}
	l.taken.Messages += int64(b.messages)
	l.taken.Bytes += int64(b.bytes)
	parked := l.parked
	l.parked = nil
	l.mu.Unlock()
	for _, c := range parked {
		c.wake <- struct{}{}
	}
	b.reset()
	return nil
}

// makeRoom drops old messages, as far as they may be dropped, until there is room
// for n bytes. It reports whether there is.
func (l *Log) makeRoom(n int) bool {
	r := &l.plain
	for r.size+n > l.limit && len(r.blocks) > 0 {
		oldest := r.blocks[0]
		if len(r.blocks) == 1 && r.open {
			return true // a message that is larger than the limit is held whole
		}
		if !oldest.sealed {
			l.seal(oldest)
		}
		if !l.mayDrop(oldest) {
			return false
		}
		l.drop(oldest)
	}
	return true
}

// seal ends a block: the next message begins another one. Cursors that have sent all
// of the block leave it.
func (l *Log) seal(b *block) {
	b.sealed = true
	for _, c := range l.cursors {
		if c.block == b && !c.sending && c.offset == len(b.frames) {
			c.leaveBlock()
		}
	}
}

func (l *Log) mayDrop(b *block) bool {
	switch l.retention {
	case UntilFirst:
		return l.lead >= b.lastNumber() || len(l.cursors) == 0
	case UntilAll:
		return b.awaited == 0 && l.packedHaveSent(b.lastNumber())
	default:
		return l.acked >= b.lastNumber()
	}
}

// drop drops the oldest block, and the same messages in compressed form.
func (l *Log) drop(oldest *block) {
	last := oldest.lastNumber()
	l.plain.drop()
	if p := l.packed; p != nil {
		for len(p.ring.blocks) > 0 && p.ring.blocks[0].lastNumber() <= last && !(p.ring.open && len(p.ring.blocks) == 1) {
			p.ring.drop()
		}
	}
	if l.retention != UntilAcknowledged {
		for _, c := range l.cursors {
			if c.fallen != nil && c.hasFallen() {
				c.fallen()
				c.fallen = nil
			}
		}
	}
}

// Acknowledge tells the Log that messages up to a number have arrived.
func (l *Log) Acknowledge(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked = max(l.acked, min(n, l.plain.next-1))
	for r := &l.plain; len(r.blocks) > 0 && l.acked >= r.blocks[0].lastNumber() && !(r.open && len(r.blocks) == 1); {
		if !r.blocks[0].sealed {
			l.seal(r.blocks[0])
		}
		l.drop(r.blocks[0])
	}
	l.signal()
}

// signal makes a Send that waits look for room again.
func (l *Log) signal() {
	if l.waiting {
		l.room.Signal()
	}
}

// Acknowledged returns the number of the last message that is known to have arrived.
func (l *Log) Acknowledged() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked
}

// Kept returns the number of the first message that is kept, and the number that the
// next message will have.
func (l *Log) Kept() (first, next int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.plain.firstNumber(), l.plain.next
}

// Sent returns how much was sent to the Log.
func (l *Log) Sent() Traffic {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken
}

// Lent returns the number of the last message that any Cursor has lent out.
func (l *Log) Lent() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lent
}

// Taken returns the number of the last message that the fastest Cursor has sent.
func (l *Log) Taken() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lead
}

// End says that nothing more will come. A Cursor that has read everything gets io.EOF.
func (l *Log) End() { l.stop(func() { l.ended = true }) }

// Cut drops everything at once; Send fails from then on.
func (l *Log) Cut() {
	l.stop(func() {
		l.ended, l.cut = true, true
		for len(l.plain.blocks) > 0 {
			l.plain.drop()
		}
	})
}

func (l *Log) stop(how func()) {
	l.mu.Lock()
	how()
	parked := l.parked
	l.parked = nil
	l.signal()
	l.mu.Unlock()
	for _, c := range parked {
		c.wake <- struct{}{}
	}
}

// packedHaveSent reports whether all Cursors that read compressed messages have sent
// those up to a number.
func (l *Log) packedHaveSent(number int64) bool {
	return l.packedCursors() == 0 || !slices.ContainsFunc(l.cursors, func(c *Cursor) bool {
		return c.ring != &l.plain && (c.number < number || c.sending && c.done < number)
	})
}

// packedCursors counts the Cursors that read compressed messages.
func (l *Log) packedCursors() (n int) {
	if l.packed == nil {
		return 0
	}
	return l.packed.cursors
}
