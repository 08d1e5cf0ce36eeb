package bridge

import (
	"context"
	"sync"
	"sync/atomic"
)

// A service is what a Handler knows of its sessions and CGI programs.
type service struct {
	once     sync.Once
	limits   Limits          // of a Handler that was given none
	draining context.Context // done with cause errShutdown when Shutdown is called
	drain    context.CancelCauseFunc
	killed   context.Context // done when Shutdown shall wait no longer
	kill     context.CancelFunc

	mu        sync.Mutex
	running   int                  // sessions and CGI programs, until nothing is left of them
	closed    bool                 // no more of them
	gone      chan struct{}        // closed when the last one of a closed Handler is gone
	launchers map[string]*launcher // by their program
	hubs      map[hubKey]*hub
	visits    atomic.Int64 // how many there were
}

// service is the Handler's own, ready for use.
func (h *Handler) service() *service {
	h.own.once.Do(h.own.init)
	return &h.own
}

func (s *service) init() {
	s.draining, s.drain = context.WithCancelCause(context.Background())
	s.killed, s.kill = context.WithCancel(context.Background())
	s.gone = make(chan struct{})
}

// Shutdown refuses new connections with 503, ends every session with close
// code 1001 and its child by the ladder, and waits until all are gone. When
// ctx ends first, the children are killed and the connections dropped at
// once; Shutdown then still waits for the last of them and returns ctx's error.
func (h *Handler) Shutdown(ctx context.Context) error {
	s := h.service()
	s.close()
	s.drain(errShutdown)
	select {
	case <-s.gone:
		return nil
	case <-ctx.Done():
		s.kill()
		<-s.gone
		return ctx.Err()
	}
}

func (s *service) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		if s.running == 0 {
			close(s.gone)
		}
	}
}

// enter counts one more session, for which Shutdown waits until it leaves. It
// reports whether there may be one.
func (s *service) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running++
	return true
}

func (s *service) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	if s.closed && s.running == 0 {
		close(s.gone)
	}
}
