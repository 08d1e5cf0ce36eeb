package bridge

import (
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

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
