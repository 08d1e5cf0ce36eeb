package bridge

import (
	"sync"
	"sync/atomic"
	"time"
)

// silentFor is how long a program may take to answer its first message before that is
// worth telling.
const silentFor = 5 * time.Second

// A quietness looks once whether a program has sent anything a while after its first
// message: most languages buffer what they print into a pipe. It costs a session one
// timer, which is made when that message comes and nothing was sent before.
type quietness struct {
	tell  func()      // nil: nobody wants to know
	begun atomic.Bool // the first message has come

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	telling sync.WaitGroup
}

// listen waits for the first message, by the hook of the inbox. The clients of a shared
// program call that from goroutines of their own.
func (q *quietness) listen(s *session) {
	if q.tell == nil {
		return
	}
	in := s.far.inbox()
	before := in.arrived
	in.arrived = func(begun, complete bool) {
		if complete && !q.begun.Load() && q.begun.CompareAndSwap(false, true) {
			q.begin(s)
		}
		if before != nil {
			before(begun, complete)
		}
	}
}

func (q *quietness) begin(s *session) {
	if s.link.Sent().Messages > 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped {
		return
	}
	q.timer = time.AfterFunc(silentFor, func() { q.look(s) })
}

func (q *quietness) look(s *session) {
	q.mu.Lock()
	q.timer = nil
	silent := !q.stopped && s.ctx.Err() == nil && s.link.Sent().Messages == 0
	if silent {
		q.telling.Add(1)
	}
	q.mu.Unlock()
	if silent {
		defer q.telling.Done()
		q.tell()
	}
}

// stop returns when nothing is told any more.
func (q *quietness) stop() {
	q.mu.Lock()
	q.stopped = true
	if q.timer != nil {
		q.timer.Stop()
	}
	q.mu.Unlock()
	q.telling.Wait()
}
