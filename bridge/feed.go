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
// empties. The giver waits only while the backlog is full.
type feed struct {
	to     sink
	failed func(error) // called when the sink takes no more
	gone   func() bool // reports whether the client has left; may be nil
	wg     *sync.WaitGroup

	mu      sync.Mutex
	limit   int           // bytes of the backlog
	room    sync.Cond     // signalled when the backlog shrinks or nothing more is taken
	backlog [][]byte      // in borrowed buffers
	size    int           // bytes of the backlog, with those that the feeder is writing
	feeding bool          // somebody writes: the giver, or the feeder
	waiting bool          // the giver waits for room
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
	f.room.L = &f.mu
	f.done = make(chan struct{})
}

// write takes p over; what nobody takes any more is dropped.
func (f *feed) write(p []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.feeding && !f.deaf && !f.closed {
		p = f.try(p)
	}
	f.waitForRoom(len(p))
	if len(p) == 0 || f.deaf || f.closed {
		return
	}
	f.store(p)
	if !f.feeding {
		f.feeding = true
		f.wg.Go(f.empty)
	}
}

// goneInterval is how often a giver that waits looks whether there is still
// somebody to wait for.
const goneInterval = 250 * time.Millisecond

// waitForRoom waits until n bytes have room, or need none any more.
func (f *feed) waitForRoom(n int) {
	full := func() bool { return f.size > 0 && f.limit-f.size < n && !f.deaf && !f.closed }
	if !full() {
		return
	}
	f.waiting = true
	if f.gone != nil {
		var look *time.Timer
		look = time.AfterFunc(math.MaxInt64, func() {
			gone := f.gone()
			f.mu.Lock()
			defer f.mu.Unlock()
			switch {
			case gone:
				f.limit = math.MaxInt
				f.room.Broadcast()
			case f.waiting:
				look.Reset(goneInterval)
			}
		})
		look.Reset(goneInterval) // not before look can be seen
		defer look.Stop()
	}
	for full() {
		f.room.Wait()
	}
	f.waiting = false
}

// try writes what the sink takes at once and returns the rest. Nobody else
// writes meanwhile, but f.mu is unlocked: at once may be never, because a child
// can hold the lock of its pipe (splice(2) does, while it waits for a socket).
func (f *feed) try(p []byte) []byte {
	f.feeding = true
	f.mu.Unlock()
	n, err := f.to.TryWrite(p)
	f.mu.Lock()
	f.feeding = false
	p = p[n:]
	f.fail(err)
	if f.closed { // meanwhile
		f.store(p)
		f.feeding = true
		f.wg.Go(f.empty)
	}
	return p
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
		f.room.Broadcast()
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
	f.room.Broadcast()
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
	f.room.Broadcast()
	if !f.feeding {
		f.close()
	}
}

func (f *feed) close() {
	f.to.Close()
	close(f.done)
}
