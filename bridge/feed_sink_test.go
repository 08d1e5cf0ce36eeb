package bridge

import (
	"errors"
	"sync"
)

// A testSink takes bytes as a child would that reads when it likes.
type testSink struct {
	ready func() int        // how many bytes TryWrite takes; nil: none
	slow  func()            // called by Write before it takes anything
	fail  func(n int) error // asked with the number of bytes taken so far

	mu     sync.Mutex
	taken  []byte
	tries  int
	writes int
	closed int
}

func (s *testSink) take(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed > 0 {
		return 0, errors.New("written after it was closed")
	}
	if s.fail != nil {
		if err := s.fail(len(s.taken)); err != nil {
			return 0, err
		}
	}
	s.taken = append(s.taken, p...)
	return len(p), nil
}

func (s *testSink) TryWrite(p []byte) (int, error) {
	s.tries++
	if s.ready == nil {
		return 0, nil
	}
	return s.take(p[:min(len(p), s.ready())])
}

func (s *testSink) Write(p []byte) (int, error) {
	if s.slow != nil {
		s.slow()
	}
	s.mu.Lock()
	s.writes++
	s.mu.Unlock()
	return s.take(p)
}

func (s *testSink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

func (s *testSink) has() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.taken)
}

func newFeed(to sink, limit int) (*feed, *sync.WaitGroup) {
	f, wg := new(feed), new(sync.WaitGroup)
	f.init(to, limit, wg, func(error) {})
	return f, wg
}

func isDone(f *feed) bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// all is a sink's ready that takes what it gets.
func all() int { return 1 << 30 }

// started runs f in a goroutine and returns a channel that tells of its end.
func started(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

func hasEnded(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

type discard struct{}

func (discard) TryWrite(p []byte) (int, error) { return len(p), nil }
func (discard) Write(p []byte) (int, error)    { return len(p), nil }
func (discard) Close() error                   { return nil }

// full reports whether a giver waits for room.
func (f *feed) full() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.room != nil
}
