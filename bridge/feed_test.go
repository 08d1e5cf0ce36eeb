package bridge

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
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

func TestFeedDirect(t *testing.T) {
	to := &testSink{ready: all}
	f, wg := newFeed(to, 10)
	f.write([]byte("one\n"))
	f.write(nil)
	f.write([]byte("a line that is longer than the limit of the backlog\n"))
	if got, want := to.has(), "one\na line that is longer than the limit of the backlog\n"; got != want {
		t.Errorf("taken %q, want %q", got, want)
	}
	if to.writes > 0 || f.feeding {
		t.Error("a sink that takes everything at once needs no feeder")
	}
	if isDone(f) {
		t.Error("done before the end")
	}
	f.finish()
	f.finish()
	wg.Wait()
	if !isDone(f) || to.closed != 1 {
		t.Errorf("after finish: done %t, closed %d times", isDone(f), to.closed)
	}
}

// While the child keeps up a message costs no memory.
func TestFeedDirectAllocatesNothing(t *testing.T) {
	f, _ := newFeed(discard{}, 10)
	p := []byte("a line\n")
	if n := testing.AllocsPerRun(1000, func() { f.write(p) }); n != 0 {
		t.Errorf("%v allocations for each write", n)
	}
}

type discard struct{}

func (discard) TryWrite(p []byte) (int, error) { return len(p), nil }
func (discard) Write(p []byte) (int, error)    { return len(p), nil }
func (discard) Close() error                   { return nil }

// A sink that does not come back from what should not wait holds up nobody but
// the giver, and gets what it was given before its end.
func TestFeedStuckAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		to := &testSink{ready: func() int { <-stuck; return 2 }}
		f, wg := newFeed(to, 10)
		writing := started(func() { f.write([]byte("aaaa")) })
		synctest.Wait()
		if hasEnded(writing) {
			t.Error("the giver does not wait for what it tries")
		}
		f.finish()
		if isDone(f) || to.closed > 0 {
			t.Error("closed before all is written")
		}
		close(stuck)
		<-writing
		<-f.done
		wg.Wait()
		if got := to.has(); got != "aaaa" || to.closed != 1 || f.size != 0 {
			t.Errorf("taken %q, closed %d times, %d bytes left", got, to.closed, f.size)
		}
	})
}

// A sink that takes some bytes at once and others late gets all of them, in
// the order in which they were given.
func TestFeedKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		slow := rand.New(rand.NewPCG(2, 2)) // the feeder's own
		to := &testSink{
			ready: func() int { return r.IntN(12) },
			slow:  func() { time.Sleep(time.Duration(slow.IntN(10)) * time.Millisecond) },
		}
		f, wg := newFeed(to, 100)
		var want []byte
		for i := range 2000 {
			p := append(strconv.AppendInt(nil, int64(i), 10), '\n')
			want = append(want, p...)
			f.write(p)
			clear(p) // what was given is the giver's again
			if r.IntN(10) == 0 {
				time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
			}
		}
		f.finish()
		<-f.done
		wg.Wait()
		if got := to.has(); got != string(want) {
			t.Errorf("taken %d bytes, given %d, or not in their order", len(got), len(want))
		}
		if to.writes == 0 || to.tries <= 1 {
			t.Error("the test has tried one of the two ways only")
		}
	})
}

// The giver waits when what it gives would make the backlog larger than the
// limit, not earlier, and no longer than until there is room.
func TestFeedWaitsOnlyWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := make(chan struct{})
		to := &testSink{slow: func() { <-turn }}
		f, wg := newFeed(to, 10)

		f.write([]byte("aaaa")) // the feeder has it
		synctest.Wait()
		f.write([]byte("bbbbb"))
		f.write([]byte("c")) // that makes 10
		if f.full() {
			t.Error("full before anybody waits")
		}
		waiting := started(func() { f.write([]byte("d")) })
		synctest.Wait()
		if hasEnded(waiting) || !f.full() {
			t.Errorf("over the limit: returned %t, full %t", hasEnded(waiting), f.full())
		}
		turn <- struct{}{}
		synctest.Wait()
		if !hasEnded(waiting) || f.full() {
			t.Errorf("with room: returned %t, full %t", hasEnded(waiting), f.full())
		}
		if got := to.has(); got != "aaaa" {
			t.Errorf("taken %q", got)
		}
		close(turn)
		synctest.Wait()
		if f.feeding || f.backlog != nil {
			t.Error("the feeder goes on, or keeps its buffer, with nothing left to feed")
		}
		f.finish()
		wg.Wait()
		if got := to.has(); got != "aaaabbbbbcd" {
			t.Errorf("taken %q", got)
		}
	})
}

// What is larger than the limit by itself waits for an empty backlog, not for
// ever.
func TestFeedTakesWhatIsOverTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := make(chan struct{})
		to := &testSink{slow: func() { <-turn }}
		f, wg := newFeed(to, 10)
		large := bytes.Repeat([]byte("x"), 25)
		f.write(large)
		synctest.Wait()
		second := started(func() { f.write(large) })
		synctest.Wait()
		if hasEnded(second) {
			t.Error("a second one did not wait for the first")
		}
		turn <- struct{}{}
		synctest.Wait()
		if !hasEnded(second) {
			t.Error("the second one waits although the backlog is empty")
		}
		close(turn)
		f.finish()
		wg.Wait()
		if len(to.has()) != 50 {
			t.Errorf("%d bytes were taken", len(to.has()))
		}
	})
}

// What the feeder has not written yet leaves in one write.
func TestFeedGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := make(chan struct{})
		to := &testSink{slow: func() { <-turn }}
		f, wg := newFeed(to, 1000)
		f.write([]byte("0"))
		synctest.Wait()
		for range 100 {
			f.write([]byte("1"))
		}
		close(turn)
		f.finish()
		wg.Wait()
		if to.writes != 2 || len(to.has()) != 101 {
			t.Errorf("%d bytes in %d writes", len(to.has()), to.writes)
		}
	})
}

func TestFeedDeaf(t *testing.T) {
	t.Run("at once", func(t *testing.T) {
		to := &testSink{ready: all, fail: func(int) error { return syscall.EPIPE }}
		f, wg := newFeed(to, 10)
		f.write([]byte("dropped"))
		f.write([]byte("dropped too"))
		if to.tries != 1 || to.writes != 0 {
			t.Errorf("a sink that takes nothing was written %d times", to.tries+to.writes)
		}
		f.finish()
		wg.Wait()
		if !isDone(f) || to.closed != 1 {
			t.Errorf("done %t, closed %d times", isDone(f), to.closed)
		}
	})
	t.Run("while the giver waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			turn := make(chan struct{})
			to := &testSink{slow: func() { <-turn }, fail: func(int) error { return syscall.EPIPE }}
			f, wg := newFeed(to, 10)
			f.write([]byte("aaaaaaaaaa"))
			waiting := started(func() { f.write([]byte("b")) })
			synctest.Wait()
			close(turn)
			synctest.Wait()
			if !hasEnded(waiting) {
				t.Fatal("the giver waits for a child that reads no more")
			}
			f.write([]byte("c"))
			wg.Wait()
			if isDone(f) || to.closed > 0 {
				t.Error("done before finish was called")
			}
			f.finish()
			if !isDone(f) || to.closed != 1 || to.has() != "" {
				t.Errorf("done %t, closed %d times, taken %q", isDone(f), to.closed, to.has())
			}
		})
	})
	t.Run("with a backlog", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			turn := make(chan struct{})
			to := &testSink{slow: func() { <-turn }, fail: func(n int) error {
				if n > 0 {
					return syscall.EPIPE
				}
				return nil
			}}
			f, wg := newFeed(to, 10)
			f.write([]byte("first"))
			synctest.Wait()
			f.write([]byte("lost"))
			f.finish()
			close(turn)
			wg.Wait()
			if !isDone(f) || to.has() != "first" || to.writes != 2 {
				t.Errorf("done %t, taken %q in %d writes", isDone(f), to.has(), to.writes)
			}
		})
	})
}

// The end lets a waiting giver go, with nothing of what it gave, and closes
// the sink when it has what was given before.
func TestFeedFinishWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := make(chan struct{})
		to := &testSink{slow: func() { <-turn }}
		f, wg := newFeed(to, 10)
		f.write([]byte("one\n"))
		synctest.Wait()
		f.write([]byte("two\n"))
		waiting := started(func() { f.write([]byte("three\n")) })
		synctest.Wait()
		f.finish()
		synctest.Wait()
		if !hasEnded(waiting) {
			t.Fatal("the giver still waits")
		}
		if isDone(f) || to.closed > 0 {
			t.Error("closed before what was given is written")
		}
		f.write([]byte("four\n"))
		close(turn)
		wg.Wait()
		if got := to.has(); !isDone(f) || to.closed != 1 || got != "one\ntwo\n" {
			t.Errorf("done %t, closed %d times, taken %q", isDone(f), to.closed, got)
		}
	})
}

// Of a message that was taken in part the rest follows, whatever comes after.
func TestFeedFinishAfterHalfAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &testSink{ready: func() int { return 3 }, slow: func() { time.Sleep(time.Second) }}
		f, wg := newFeed(to, 4)
		f.write([]byte("a message\n"))
		f.finish()
		if isDone(f) {
			t.Error("done with half a message")
		}
		wg.Wait()
		if got := to.has(); got != "a message\n" || !isDone(f) {
			t.Errorf("taken %q, done %t", got, isDone(f))
		}
	})
}

func TestFeedAfterFinish(t *testing.T) {
	to := &testSink{ready: all}
	f, wg := newFeed(to, 10)
	f.finish()
	f.write([]byte("late"))
	wg.Wait()
	if to.tries > 0 || to.closed != 1 || !isDone(f) {
		t.Errorf("tried %d times, closed %d times, done %t", to.tries, to.closed, isDone(f))
	}
}

// Whenever the end comes, from whichever goroutine, the sink has got messages
// from the first on, each whole, and is closed once.
func TestFeedRace(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		var wide rand.PCG
		wide.Seed(r.Uint64(), 0)
		try := rand.New(&wide)
		to := &testSink{ready: func() int { return try.IntN(8) }}
		f, wg := newFeed(to, 32)
		giver := started(func() {
			for i := range 300 {
				f.write(append(strconv.AppendInt(nil, int64(i), 10), '\n'))
			}
		})
		enders := started(func() {
			for range r.IntN(300) {
				_ = f.full()
			}
			f.finish()
		})
		<-giver
		<-enders
		<-f.done
		wg.Wait()
		if to.closed != 1 {
			t.Fatalf("closed %d times", to.closed)
		}
		lines := bytes.SplitAfter([]byte(to.has()), []byte("\n"))
		if last := lines[len(lines)-1]; len(last) > 0 {
			t.Fatalf("a message was cut: %q", last)
		}
		for i, line := range lines[:len(lines)-1] {
			if string(line) != strconv.Itoa(i)+"\n" {
				t.Fatalf("message %d is %q", i, line)
			}
		}
	}
}

// A sink that fails while others give, look and finish lets all of them go.
func TestFeedRaceDeaf(t *testing.T) {
	for limit := range 60 {
		to := &testSink{
			ready: func() int { return 2 },
			fail: func(n int) error {
				if n > 5*limit {
					return syscall.EPIPE
				}
				return nil
			},
		}
		f, wg := newFeed(to, 16)
		for i := range 100 {
			f.write(append(strconv.AppendInt(nil, int64(i), 10), '\n'))
		}
		f.finish()
		<-f.done
		wg.Wait()
	}
}

// full reports whether the giver waits for room.
func (f *feed) full() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting
}
