package bridge

import (
	"context"
	"math"
	"sync/atomic"
	"time"
)

// A lifetime ends a session after its limit.
type lifetime struct {
	limit  time.Duration // zero: none
	timer  *time.Timer
	expire context.CancelCauseFunc
}

// An idleness tells for how long no message has come or gone. Times are in ns
// since began.
type idleness struct {
	limit   time.Duration // zero: none
	began   time.Time
	timer   *time.Timer
	in      atomic.Int64 // when the last message came
	out     atomic.Int64 // when the last batch had been sent
	sending atomic.Bool  // a batch is being sent
	before  int64        // what the client had been sent at the last look
}

func (i *idleness) now() int64 { return int64(time.Since(i.began)) }

// sent takes note of the end of a batch.
func (i *idleness) sent() {
	i.out.Store(i.now())
	i.sending.Store(false)
}

// startTimeouts makes the session end when it has lived or been idle for too
// long.
func (s *session) startTimeouts() {
	if s.idle.limit > 0 {
		s.far.inbox().arrived = func(_, complete bool) {
			if complete {
				s.idle.in.Store(s.idle.now())
			}
		}
		s.idle.timer = time.AfterFunc(math.MaxInt64, s.checkIdle)
		s.idle.timer.Reset(s.idle.limit) // not before checkIdle can see the timer
	}
	s.quiet.listen(s)
	if s.life.limit > 0 {
		s.life.expire = func(error) {}
		if !s.keeps {
			// A session whose time is up is drained, though the server is not: it
			// may be over but for a client that takes its time.
			s.draining, s.life.expire = context.WithCancelCause(s.draining)
		}
		s.life.timer = time.AfterFunc(s.life.limit, func() {
			s.end(errTimeout)
			s.life.expire(errTimeout)
		})
	}
}

// isTimeUp reports whether a session has ended because its time was over.
func isTimeUp(end Ending) bool { return end == errTimeout || end == errIdle }

func (s *session) stopTimeouts() {
	s.quiet.stop()
	if s.idle.timer != nil {
		s.idle.timer.Stop()
	}
	if s.life.timer != nil {
		s.life.timer.Stop()
		s.life.expire(nil)
	}
}

// checkIdle is called when the session may have been idle for too long.
func (s *session) checkIdle() {
	if s.ctx.Err() != nil {
		return
	}
	last := max(s.idle.in.Load(), s.idle.out.Load())
	if reached := s.link.Reached(); reached != s.idle.before {
		s.idle.before = reached
		if s.idle.sending.Load() {
			last = s.idle.now() // the client takes it slowly
		}
	}
	since := time.Duration(s.idle.now() - last)
	if since >= s.idle.limit {
		s.end(errIdle)
		return
	}
	s.idle.timer.Reset(s.idle.limit - since)
}
