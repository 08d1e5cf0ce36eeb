package cmd_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A benchScenario is what a client does and what the server's command is. An
// operation is a message, if nothing else is said.
type benchScenario struct {
	name    string
	command []string
	binary  bool // whether bytes are served rather than lines
	run     func(b *testing.B, s *benchServer)
}

func benchScenarios(b *testing.B) []benchScenario {
	line := func(n int) []byte { return append(bytes.Repeat([]byte("x"), n-1), '\n') }
	return []benchScenario{
		// A command prints as fast as it can.
		{"stream", benchCat(b, line(100)), false, func(b *testing.B, s *benchServer) { benchReceive(b, s, 100) }},
		{"wide", benchCat(b, line(8000)), false, func(b *testing.B, s *benchServer) { benchReceive(b, s, 8000) }},
		{"bulk", benchCat(b, []byte("\x00\xff\n\x7f")), true, benchBulk}, // an operation is 1 MiB
		// A client sends 100 bytes a message as fast as it can, to a
		// command that reads them.
		{"ingest", []string{"grep", "-m1", "^END$"}, false, benchIngest},
		// The same and back, with up to 256 messages under way.
		{"echo", []string{"cat"}, false, benchEcho},
		// 32 bytes there and back, one message at a time, on one connection
		// and on 200.
		{"rtt", []string{"cat"}, false, func(b *testing.B, s *benchServer) { benchAsk(b, s.open(b, 1)) }},
		{"fan", []string{"cat"}, false, func(b *testing.B, s *benchServer) { benchAsk(b, s.open(b, 200)) }},
		// An operation is to connect, get a line and see the end.
		{"churn", []string{"echo", "hello"}, false, benchChurn},
		{"idle", []string{"cat"}, false, benchIdle},
		// A client stops reading what a command prints without end.
		{"stall", []string{"yes"}, false, benchStall},
	}
}

// benchCat is a command that prints lines for longer than a benchmark takes.
func benchCat(b *testing.B, line []byte) []string {
	path := filepath.Join(b.TempDir(), "lines")
	if err := os.WriteFile(path, bytes.Repeat(line, 32<<20/len(line)), 0o644); err != nil {
		b.Fatal(err)
	}
	return append([]string{"cat"}, slices.Repeat([]string{path}, 1000)...)
}

func benchReceive(b *testing.B, s *benchServer, size int) {
	c := s.dial(b)
	c.wide()
	b.SetBytes(int64(size))
	b.ResetTimer()
	for range b.N {
		if _, err := c.skip(); err != nil {
			b.Fatal(err)
		}
	}
}

func benchBulk(b *testing.B, s *benchServer) {
	c := s.dial(b)
	c.wide()
	b.SetBytes(1 << 20)
	b.ResetTimer()
	for received := 0; received < b.N<<20; {
		n, err := c.skip()
		if err != nil {
			b.Fatal(err)
		}
		received += n
	}
}

func benchIngest(b *testing.B, s *benchServer) {
	c := s.dial(b)
	frame := benchFrame(benchText, bytes.Repeat([]byte("x"), 100))
	block := bytes.Repeat(frame, 100)
	b.SetBytes(100)
	b.ResetTimer()
	for left := b.N; left > 0; left -= 100 {
		if _, err := c.Write(block[:min(left, 100)*len(frame)]); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := c.ask(benchFrame(benchText, []byte("END"))); err != nil {
		b.Fatal(err)
	}
}

func benchEcho(b *testing.B, s *benchServer) {
	c := s.dial(b)
	c.wide()
	const batch, window = 64, 256
	frame := benchFrame(benchText, bytes.Repeat([]byte("x"), 100))
	block := bytes.Repeat(frame, batch)
	sent := 0
	b.SetBytes(100)
	b.ResetTimer()
	for received := range b.N {
		for sent < b.N && sent+batch <= received+window {
			n := min(batch, b.N-sent)
			if _, err := c.Write(block[:n*len(frame)]); err != nil {
				b.Fatal(err)
			}
			sent += n
		}
		if _, err := c.skip(); err != nil {
			b.Fatal(err)
		}
	}
}

var benchQuestion = benchFrame(benchText, bytes.Repeat([]byte("x"), 32))

// benchAsk has one message under way on each connection.
func benchAsk(b *testing.B, clients []*benchClient) {
	benchWorkers(b, len(clients), func(worker int) (time.Duration, error) { return clients[worker].ask(benchQuestion) })
}

// benchWorkers shares b.N operations among n goroutines and reports how long
// they took.
func benchWorkers(b *testing.B, n int, operation func(worker int) (time.Duration, error)) {
	var (
		left  atomic.Int64
		wg    sync.WaitGroup
		took  = make([][]time.Duration, n)
		fails = make([]error, n)
	)
	left.Store(int64(b.N))
	b.ResetTimer()
	for worker := range n {
		wg.Go(func() {
			for left.Add(-1) >= 0 && fails[worker] == nil {
				var d time.Duration
				d, fails[worker] = operation(worker)
				took[worker] = append(took[worker], d)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	if err := errors.Join(fails...); err != nil {
		b.Fatal(err)
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds())/1e3, "p99-µs")
}

func benchChurn(b *testing.B, s *benchServer) {
	benchWorkers(b, 8, func(int) (time.Duration, error) {
		start := time.Now()
		c, err := benchDial(s.addr)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		if _, err := c.skip(); err != nil {
			return 0, err
		}
		err = c.finish()
		return time.Since(start), err
	})
}

// benchSettle is how long a server gets to put away what it needed to accept
// connections.
const benchSettle = 500 * time.Millisecond

func benchIdle(b *testing.B, s *benchServer) {
	const n = 1000
	each := 0.0
	for b.Loop() {
		s.open(b, 1)
		before := s.resident(b)
		s.open(b, n)
		time.Sleep(benchSettle)
		if each == 0 { // a second time it takes what the first has freed
			each = float64(s.resident(b)-before) / n / 1024
		}
	}
	b.ReportMetric(each, "KiB/connection")
	b.ReportMetric(0, "ns/op") // it tells nothing
}

func benchStall(b *testing.B, s *benchServer) {
	grown := 0.0
	for b.Loop() {
		c := s.dial(b)
		if _, err := c.skip(); err != nil {
			b.Fatal(err)
		}
		before := s.resident(b)
		time.Sleep(time.Second)
		grown = max(grown, float64(s.resident(b)-before)/(1<<20))
	}
	b.ReportMetric(grown, "MiB-grown")
	b.ReportMetric(0, "ns/op")
}
