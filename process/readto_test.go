package process

import (
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

// bothWays runs a test of ReadTo with reads that are tried, where they can be,
// and with a small buffer that waits.
func bothWays(t *testing.T, test func(t *testing.T, try bool)) {
	if canTry {
		t.Run("trying", func(t *testing.T) { test(t, true) })
	}
	t.Run("waiting", func(t *testing.T) { test(t, false) })
}

// A borrower reads by ReadTo, at most size bytes at a time.
type borrower struct {
	o    *Output
	try  bool
	size int
}

func (b borrower) Read(p []byte) (int, error) {
	return b.o.readTo(b.try, func() []byte { return p[:min(b.size, len(p))] }, func() {})
}

func TestReadTo(t *testing.T) {
	for _, test := range []struct {
		name string
		size int // of what take lends
		data int // how much there is to read
		cut  bool
	}{
		{"nothing", 100, 0, false},
		{"nothing and others hold it", 100, 0, true},
		{"a little", 1 << 20, 10, false},
		{"a little and others hold it", 1 << 20, 10, true},
		{"byte by byte", 1, 100, false},
		{"byte by byte and others hold it", 1, 100, true},
		{"a small buffer", 1 << 20, smallBuffer, false},
		{"a small buffer and one", 1 << 20, smallBuffer + 1, false},
		{"pieces of a small buffer", smallBuffer - 1, 3 * smallBuffer, false},
		{"as much as is lent", 5000, 5000, false},
		{"a full pipe", 1 << 20, pipeSize, false},
		{"a full pipe and others hold it", 1 << 20, pipeSize, true},
		{"a full pipe in pieces", 3000, pipeSize, true},
	} {
		if test.cut && !canTry {
			continue // a pipe has no deadlines there
		}
		bothWays(t, func(t *testing.T, try bool) {
			t.Run(test.name, func(t *testing.T) {
				o, w := pipe(t)
				go func() {
					w.Write(pattern(test.data)) // os.Pipe of Windows holds 4 KiB only
					if !test.cut {
						w.Close()
					}
				}()
				b := borrower{o, try, test.size}
				got := make([]byte, test.data)
				if n, err := io.ReadFull(b, got); err != nil {
					t.Fatalf("after %d bytes: %v", n, err)
				}
				if string(got) != string(pattern(test.data)) {
					t.Error("other bytes arrived than were written")
				}
				if test.cut {
					o.cutOff()
				}
				for range 2 {
					if n, err := b.Read(make([]byte, 10)); n != 0 || err != io.EOF {
						t.Errorf("at the end: %d, %v", n, err)
					}
				}
				receive(t, o.ended)
			})
		})
	}
}

// Read goes on where ReadTo has stopped.
func TestReadToThenRead(t *testing.T) {
	bothWays(t, func(t *testing.T, try bool) {
		o, w := pipe(t)
		w.WriteString("abcdef")
		w.Close()
		var got strings.Builder
		p := make([]byte, 2)
		for _, read := range []func([]byte) (int, error){borrower{o, try, 2}.Read, o.Read, o.Read} {
			n, err := read(p)
			if err != nil {
				t.Fatal(err)
			}
			got.Write(p[:n])
		}
		if got.String() != "abcdef" {
			t.Errorf("got %q", got.String())
		}
	})
}

// A closed output has ended.
func TestReadToClosed(t *testing.T) {
	bothWays(t, func(t *testing.T, try bool) {
		o, _ := pipe(t)
		_ = o.close()
		if n, err := (borrower{o, try, 10}).Read(make([]byte, 10)); n != 0 || err != io.EOF {
			t.Errorf("got %d, %v", n, err)
		}
		receive(t, o.ended)
	})
}

// Whoever waits, and whoever has reached the end, holds no buffer.
func TestReadToHoldsNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, try bool) {
		o, w := pipe(t)
		var held atomic.Bool
		dropped := make(chan struct{}, 10)
		take := func() []byte {
			held.Store(true)
			return make([]byte, 10)
		}
		drop := func() {
			held.Store(false)
			dropped <- struct{}{}
		}
		type result struct {
			n   int
			err error
		}
		read := make(chan result, 1)
		for _, test := range []struct {
			happen func()
			want   result
		}{
			{func() { w.WriteString("abc") }, result{3, nil}},
			{func() { w.WriteString("d") }, result{1, nil}},
			{func() { w.Close() }, result{0, io.EOF}},
		} {
			go func() {
				n, err := o.readTo(try, take, drop)
				read <- result{n, err}
			}()
			receive(t, dropped)
			if held.Load() {
				t.Error("a buffer waits")
			}
			test.happen()
			if got := receive(t, read); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if held.Load() != (test.want.n > 0) {
				t.Errorf("after %v a buffer is held: %v", test.want, held.Load())
			}
		}
	})
}

func TestReadToAllocs(t *testing.T) {
	bothWays(t, func(t *testing.T, try bool) {
		o, w := pipe(t)
		buf, line := make([]byte, 100), []byte("a line\n")
		take, drop := func() []byte { return buf }, func() {}
		allocs := testing.AllocsPerRun(100, func() {
			w.Write(line)
			if n, err := o.readTo(try, take, drop); n != len(line) || err != nil {
				t.Fatalf("got %d, %v", n, err)
			}
		})
		if allocs != 0 {
			t.Errorf("%v allocations", allocs)
		}
	})
}

// What the child has written arrives however its end races with the reads.
func TestReadToRacesEnd(t *testing.T) {
	bothWays(t, func(t *testing.T, try bool) {
		for range 10 {
			p := start(t, command("print", "100"))
			read := make(chan string, 1)
			go func() {
				b, _ := io.ReadAll(borrower{p.Stdout, try, 7})
				read <- string(b)
			}()
			wait(t, p)
			p.End(done)
			if got := receive(t, read); got != string(pattern(100)) {
				t.Fatalf("got %d bytes, want 100", len(got))
			}
		}
	})
}

func TestReadToRacesCutOff(t *testing.T) {
	if !canTry {
		t.Skip("a pipe has no deadlines here")
	}
	bothWays(t, func(t *testing.T, try bool) {
		for range 200 {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			o := newOutput(r)
			read := make(chan string, 1)
			go func() {
				b, _ := io.ReadAll(borrower{o, try, 1})
				read <- string(b)
			}()
			w.WriteString("abc")
			o.cutOff()
			if got := receive(t, read); got != "abc" {
				t.Fatalf("got %q", got)
			}
			w.Close()
			_ = o.close()
		}
	})
}
