package process

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

func TestWhenReadable(t *testing.T) {
	for _, test := range []struct {
		name   string
		before bool // it happens before anybody waits
		happen func(o *Output, w *os.File)
	}{
		{"data", false, func(_ *Output, w *os.File) { w.WriteString("x") }},
		{"data before", true, func(_ *Output, w *os.File) { w.WriteString("x") }},
		{"end", false, func(_ *Output, w *os.File) { w.Close() }},
		{"end before", true, func(_ *Output, w *os.File) { w.Close() }},
		{"cut off while others hold it", false, func(o *Output, _ *os.File) { o.cutOff() }},
		{"all at once", false, func(o *Output, w *os.File) { w.WriteString("x"); w.Close(); o.cutOff() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, w := pipe(t)
			if test.before {
				test.happen(o, w)
			}
			var calls atomic.Int32
			called := make(chan struct{}, 2)
			o.WhenReadable(func() {
				calls.Add(1)
				called <- struct{}{}
			})
			if !test.before {
				if calls.Load() != 0 {
					t.Error("called for nothing")
				}
				test.happen(o, w)
			}
			receive(t, called)
			w.WriteString("y")
			o.cutOff()
			if n := calls.Load(); n != 1 {
				t.Errorf("called %d times", n)
			}
		})
	}
}

// When cutOff has returned, the call is over, whoever makes it.
func TestWhenReadableRace(t *testing.T) {
	for range 500 {
		o, w := pipe(t)
		called := false // the race detector looks, too
		o.WhenReadable(func() { called = true })
		go w.Close()
		o.cutOff()
		if !called {
			t.Fatal("not called")
		}
	}
}

// Many wait, some while others are served, and the goroutine that looks out
// for them comes and goes.
func TestWhenReadableMany(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				o, w := pipe(t)
				called := make(chan struct{})
				o.WhenReadable(func() { close(called) })
				w.WriteString("x")
				receive(t, called)
			}
		})
	}
	wg.Wait()
	l := theLookout()
	if !eventually(func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return !l.running && len(l.waiting) == 0
	}) {
		t.Error("somebody looks out for nobody")
	}
}

// Where nobody can look out, the reader waits as it always could.
func TestWhenReadableWithoutLookout(t *testing.T) {
	var none *lookout
	if none.add(0, nil) {
		t.Error("added")
	}
	o, _ := pipe(t)
	if err := o.f.Close(); err != nil {
		t.Fatal(err)
	}
	called := false
	o.WhenReadable(func() { called = true })
	if !called {
		t.Error("not called for a closed file")
	}
}
