package bridge

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

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
