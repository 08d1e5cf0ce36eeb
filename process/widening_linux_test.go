package process

import (
	"errors"
	"os"
	"testing"
	"time"
)

// A widened pipe takes more than others before its writer waits; how many are
// widened at once has a limit, and what was closed counts no more.
func TestWiden(t *testing.T) {
	var all []*Output
	for range maxWide {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		o := newOutput(r)
		defer o.close()
		if !o.wide.begin(o.f) {
			t.Skip("this user's pipes hold as much as they may")
		}
		if all = append(all, o); len(all) > 1 {
			continue
		}
		if n, err := w.Write(make([]byte, wideSize)); n != wideSize || err != nil {
			t.Fatalf("it took %d bytes: %v", n, err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	o := newOutput(r)
	defer o.close()
	if o.wide.begin(o.f) {
		t.Error("there is no limit")
	}
	if err := all[0].close(); err != nil {
		t.Fatal(err)
	}
	if !o.wide.begin(o.f) {
		t.Error("one that was closed still counts")
	}
}

// An output that brings at once what a pipe holds makes it hold more, once; the
// tail of one that was cut off does not.
func TestWidenItself(t *testing.T) {
	read := func(o *Output, p []byte) (int, error) { return o.Read(p) }
	readTo := func(o *Output, p []byte) (int, error) { return borrower{o, true, len(p)}.Read(p) }
	for _, test := range []struct {
		name   string
		read   func(*Output, []byte) (int, error)
		size   int
		cut    bool
		widens int32
	}{
		{"Read", read, pipeSize, false, 1},
		{"ReadTo", readTo, pipeSize, false, 1},
		{"Read less", read, pipeSize - 1, false, 0},
		{"ReadTo less", readTo, pipeSize - 1, false, 0},
		{"Read the tail", read, pipeSize, true, 0},
		{"ReadTo the tail", readTo, pipeSize, true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, w := pipe(t)
			before := widened.Load()
			for range 2 {
				if n, err := w.Write(pattern(test.size)); n != test.size || err != nil {
					t.Skip("this user's pipes hold as much as they may")
				}
				if test.cut {
					o.cutOff()
				}
				if n, err := test.read(o, make([]byte, 2*pipeSize)); n != test.size || err != nil {
					t.Fatalf("got %d, %v", n, err)
				}
			}
			if test.widens == 1 && widened.Load() == before {
				t.Skip("this user's pipes hold as much as they may")
			}
			if n := widened.Load() - before; n != test.widens {
				t.Errorf("%d pipes are widened, want %d", n, test.widens)
			}
			if test.widens == 0 {
				return
			}
			if n, err := w.Write(make([]byte, wideSize)); n != wideSize || err != nil {
				t.Fatalf("it took %d bytes: %v", n, err)
			}
			if err := o.close(); err != nil || widened.Load() != before {
				t.Errorf("after close %d count: %v", widened.Load()-before, err)
			}
		})
	}
}

// The pipe to a child that does not keep up is widened, and counts no more
// when it is closed, however often.
func TestWidenInput(t *testing.T) {
	_, w := pipe(t)
	before := widened.Load()
	in := newInput(w)
	n, err := in.TryWrite(make([]byte, 2*wideSize))
	if n == pipeSize {
		t.Skip("this user's pipes hold as much as they may")
	}
	if n != wideSize || err != nil {
		t.Errorf("it took %d bytes: %v", n, err)
	}
	in.Close()
	in.Close()
	if n, err := in.TryWrite(make([]byte, 2*wideSize)); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %d, %v", n, err)
	}
	if !eventually(func() bool { return widened.Load() == before }) {
		t.Error("one that is closed still counts")
	}
}

// A pipe that is being closed counts until it is closed: until then a TryWrite
// may still widen it.
func TestWidenWhileClosing(t *testing.T) {
	_, w := pipe(t)
	before := widened.Load()
	in := newInput(w)
	if !in.wide.begin(in.f) {
		t.Skip("this user's pipes hold as much as they may")
	}
	if err := in.raw.Control(func(uintptr) { // the end of the file waits for it
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		for in.raw.Control(func(uintptr) {}) == nil {
			time.Sleep(time.Millisecond)
		}
		if n := widened.Load() - before; n != 1 {
			t.Errorf("while it is closed %d count", n)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return widened.Load() == before }) {
		t.Error("one that is closed still counts")
	}
}
