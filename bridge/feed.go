package bridge

import (
	"math"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A feed writes to a child's standard input in the order in which it is
// given. As long as the child keeps up, the giver writes; what the child does
// not take at once becomes the backlog, which a goroutine, the feeder,
// empties. A giver waits only while the backlog is full.
type feed struct {
	to     sink
	failed func(error) // called when the sink takes no more
	gone   func() bool // reports whether the client has left; may be nil
	wg     *sync.WaitGroup

	mu      sync.Mutex
	limit   int           // bytes of the backlog
	room    chan struct{} // closed when the backlog shrinks or nothing more is taken; nil: nobody waits
	backlog [][]byte      // in borrowed buffers
	size    int           // bytes of the backlog, with those that the feeder is writing
	feeding bool          // somebody writes: the giver, or the feeder
	closed  bool          // nothing more is given
	deaf    bool          // nothing more is taken
	err     error         // why it is deaf
	done    chan struct{} // closed when all that was given is written, or nothing more is taken
}

// A sink is what a feed writes to. TryWrite writes what can be written
// without waiting.
type sink interface {
	TryWrite(p []byte) (int, error)
	Write(p []byte) (int, error)
	Close() error
}

func (f *feed) init(to sink, limit int, wg *sync.WaitGroup, failed func(error)) {
	f.to, f.limit, f.wg, f.failed = to, limit, wg, failed
	f.done = make(chan struct{})
}

// write takes p over; what nobody takes any more is dropped.
func (f *feed) write(p []byte) { f.writeFor(nil, p) }

// A giver is one of several that give to a feed. What one gives stays together.
type giver struct {
	accept func(p []byte) bool // the last word on a batch; the feed is locked
	gone   func() bool         // reports whether its client has left
	lent   func() int          // how many bytes over the limit it may give now; may be nil
	stop   <-chan struct{}     // closed when it waits no longer
}

// writeFor is write for one of several givers, or with nil for the only one. It
// reports whether the batch was accepted, whole.
func (f *feed) writeFor(g *giver, p []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isFull(g, len(p)) && !f.waitForRoom(g, len(p)) || g != nil && !g.accept(p) {
		return false
	}
	switch {
	case len(p) == 0 || f.deaf || f.closed:
	case f.feeding:
		f.store(p)
	default:
		f.try(p)
	}
	return true
}

// goneInterval is how often a giver that waits looks whether there is still
// somebody to wait for.
const goneInterval = 250 * time.Millisecond

// isFull reports whether n bytes of a giver have to wait for room.
func (f *feed) isFull(g *giver, n int) bool {
	if f.size == 0 || f.limit-f.size >= n || f.deaf || f.closed {
		return false
	}
	return g == nil || g.lent == nil || g.lent() < n-(f.limit-f.size)
}

// waitForRoom waits until n bytes have room, or need none any more. It reports
// false for one of several givers that has to wait no longer: the only one may
// then give what it has left. f.mu is unlocked meanwhile.
func (f *feed) waitForRoom(g *giver, n int) bool {
	var look <-chan time.Time
	var stop <-chan struct{}
	isGone := f.gone
	if g != nil {
		isGone, stop = g.gone, g.stop
	}
	if isGone != nil {
		ticker := time.NewTicker(goneInterval)
		defer ticker.Stop()
		look = ticker.C
	}
	for f.isFull(g, n) {
		if f.room == nil {
			f.room = make(chan struct{})
		}
		room := f.room
		f.mu.Unlock()
		gone := false
		select {
		case <-room:
		case <-stop:
			gone = true
		case <-look:
			gone = isGone()
		}
		f.mu.Lock()
		switch {
		case gone && g != nil:
			return false
		case gone:
			f.limit = math.MaxInt
		}
	}
	return true
}

// wake lets those that wait for room look again.
func (f *feed) wake() {
	if f.room != nil {
		close(f.room)
		f.room = nil
	}
}

// try writes what the sink takes at once, and leaves the rest to the feeder.
// Nobody else writes meanwhile, but f.mu is unlocked: at once may be never,
// because a child can hold the lock of its pipe (splice(2) does, while it waits
// for a socket).
func (f *feed) try(p []byte) {
	f.feeding = true
	f.mu.Unlock()
	n, err := f.to.TryWrite(p)
	f.mu.Lock()
	if f.fail(err); f.deaf {
		n = len(p)
	}
	later := f.backlog // of other givers, or of none
	f.backlog = nil
	f.store(p[n:])
	f.backlog = append(f.backlog, later...)
	switch {
	case len(f.backlog) > 0:
		f.wg.Go(f.empty)
	case f.closed:
		f.feeding = false
		f.close()
	default:
		f.feeding = false
	}
}

// store appends p to the backlog.
func (f *feed) store(p []byte) {
	f.size += len(p)
	for len(p) > 0 {
		last := len(f.backlog) - 1
		if last < 0 || len(f.backlog[last]) == wire.LargeBuffer {
			f.backlog = append(f.backlog, wire.GetLarge())
			last++
		}
		buf := f.backlog[last]
		n := min(len(p), wire.LargeBuffer-len(buf))
		f.backlog[last] = append(buf, p[:n]...)
		p = p[n:]
	}
}

// empty is the feeder: it writes the backlog until there is none.
func (f *feed) empty() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.backlog) > 0 {
		p := f.backlog[0]
		f.backlog = f.backlog[1:]
		if !f.deaf {
			f.mu.Unlock()
			_, err := f.to.Write(p)
			f.mu.Lock()
			f.fail(err)
		}
		f.size -= len(p)
		wire.PutBuffer(p)
		f.wake()
	}
	f.backlog, f.feeding = nil, false
	if f.closed {
		f.close()
	}
}

// fail makes the feed deaf after an error. f.mu is locked.
func (f *feed) fail(err error) {
	if err != nil {
		f.deaf, f.err = true, err
		f.failed(err)
	}
}

// waitNoMore lets the giver give what it has left without waiting for room.
func (f *feed) waitNoMore() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.limit = math.MaxInt
	f.wake()
}

// finish says that nothing more is given: the child's standard input ends
// when it has what was given before. It may be called more than once.
func (f *feed) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.closed = true
	f.wake()
	if !f.feeding {
		f.close()
	}
}

func (f *feed) close() {
	f.to.Close()
	close(f.done)
}
