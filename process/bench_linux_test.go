package process

import (
	"os"
	"runtime"
	"testing"
	"time"
)

// BenchmarkIdleOutput shows what an output on which nothing comes takes while
// somebody waits for it: with the lookout, and with a goroutine for each.
func BenchmarkIdleOutput(b *testing.B) {
	b.Run("lookout", func(b *testing.B) {
		benchmarkIdleOutput(b, func(o *Output) { o.WhenReadable(func() {}) })
	})
	b.Run("goroutine", func(b *testing.B) {
		benchmarkIdleOutput(b, func(o *Output) {
			go o.ReadTo(func() []byte { return make([]byte, 10) }, func() {})
		})
	})
}

func benchmarkIdleOutput(b *testing.B, wait func(*Output)) {
	const n = 200
	settled := func() int64 {
		time.Sleep(20 * time.Millisecond) // until all wait
		for range 3 {                     // stacks shrink by and by
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse)
	}
	var total int64
	for b.Loop() {
		outputs, writers := make([]*Output, n), make([]*os.File, n)
		for i := range n {
			r, w, err := os.Pipe()
			if err != nil {
				b.Fatal(err)
			}
			outputs[i], writers[i] = newOutput(r), w
		}
		before := settled()
		for _, o := range outputs {
			wait(o)
		}
		total += settled() - before
		for i, o := range outputs {
			o.cutOff()
			writers[i].Close()
			_ = o.close()
		}
	}
	b.ReportMetric(float64(total)/n/float64(b.N), "B/output")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkWidening shows how fast bytes come from a child that prints without
// end, and go to one that only reads, with the pipe as it is made and with one
// that was widened.
func BenchmarkWidening(b *testing.B) {
	for _, wide := range []bool{false, true} {
		name := map[bool]string{false: "as made", true: "widened"}[wide]
		b.Run("from a child, "+name, func(b *testing.B) {
			p := start(b, command("flood"))
			if !wide {
				pretend(&p.Stdout.wide)
			}
			buf := make([]byte, wideSize+pipeSize)
			take, drop := func() []byte { return buf }, func() {}
			benchmarkWidening(b, func() (int, error) { return p.Stdout.ReadTo(take, drop) })
		})
		b.Run("to a child, "+name, func(b *testing.B) {
			p := start(b, command("discard"))
			if !wide {
				pretend(&p.Stdin.wide)
			}
			buf := make([]byte, pipeSize)
			benchmarkWidening(b, func() (int, error) {
				n, err := p.Stdin.TryWrite(buf)
				if n < len(buf) && err == nil { // as who writes to a child does it
					_, err = p.Stdin.Write(buf[n:])
				}
				return len(buf), err
			})
		})
	}
}

// pretend has a pipe taken for one that was widened already.
func pretend(w *widening) {
	widened.Add(1)
	w.on.Store(true)
}

func benchmarkWidening(b *testing.B, move func() (int, error)) {
	const size = 64 << 20
	b.SetBytes(size)
	moves := 0
	for b.Loop() {
		for moved := 0; moved < size; {
			n, err := move()
			if err != nil {
				b.Fatal(err)
			}
			moved += n
			moves++
		}
	}
	b.ReportMetric(float64(moves)/float64(b.N)/(size>>20), "calls/MiB")
}
