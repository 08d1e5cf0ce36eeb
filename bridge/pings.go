package bridge

import (
	"context"
	"sync"
	"time"
)

// Pings tell whether the peer lives. They are sent by a timer.
type pings struct {
	mu         sync.Mutex
	timer      *time.Timer
	stopped    bool
	sent       bool
	written    int64 // what the socket had taken at the last interval
	unanswered int   // intervals after a ping in which nothing was heard
}

func (s *session) startPings() {
	if s.pingInterval <= 0 {
		return
	}
	s.pings.mu.Lock()
	defer s.pings.mu.Unlock()
	s.pings.timer = time.AfterFunc(s.pingInterval, s.ping)
}

// ping is called at each interval.
func (s *session) ping() {
	p := &s.pings
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	heard := s.conn.heard.Swap(false)
	written := s.conn.written.Load()
	switch {
	case heard, written != p.written, // its answer may be behind what it reads
		s.feed.busy(): // or wait for us, while input waits for the child
		p.unanswered = 0
	case p.sent && s.inputRuns():
		p.unanswered++
	}
	p.written = written
	if p.unanswered >= 2 {
		s.end(errPeerDead)
		s.conn.cut()
		return
	}
	payload := "" // some clients show what is in it
	if s.asking.Load() {
		payload = tailPing
	}
	if s.conn.control(appendFrame(nil, finBit|opPing, []byte(payload), s.conn.masked)) == nil {
		p.sent = true
	}
	p.timer.Reset(s.pingInterval)
}

// inputRuns reports whether input has not yet seen enough.
func (s *session) inputRuns() bool {
	select {
	case <-s.inputDone:
		return false
	default:
		return true
	}
}

func (p *pings) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

// pong is called by the library when a pong came.
func (s *session) pong(_ context.Context, payload []byte) {
	select {
	case <-s.pongs: // the latest counts
	default:
	}
	s.pongs <- string(payload) == tailPing
}
