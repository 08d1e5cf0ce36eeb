package cmd_test

import (
	"bufio"
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"
)

// BenchmarkShared has one program, which prints lines of 100 bytes as fast as it can, and
// sends every client each of them. An operation is a message that one client gets. It is a
// part of the README's plot, as BenchmarkGrowth is.
func BenchmarkShared(b *testing.B) {
	programs := benchPrograms(b)
	lines := benchCat(b, append(bytes.Repeat([]byte("x"), 99), '\n'))
	command := append([]string{"sh", "-c", `read -r begin; exec "$@"`, "sh"}, lines...)
	for _, n := range []int{1, 10, 100, 1000, 5000} {
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) {
			for _, p := range programs {
				if p.share != nil {
					b.Run("program="+p.name, func(b *testing.B) { benchShared(b, p, n, command) })
				}
			}
		})
	}
}

func benchShared(b *testing.B, p benchProgram, n int, command []string) {
	s := p.startWith(b, p.share, command)
	defer s.stop()
	empty := s.resident(b)
	clients := make([]*benchClient, n)
	for i := range clients {
		clients[i] = s.dial(b)
		clients[i].r = bufio.NewReaderSize(clients[i].r, 32<<10) // less for the client to do
		defer clients[i].Close()
	}
	time.Sleep(benchSettle)
	memory := float64(s.resident(b)-empty) / float64(n) / 1024
	each := (b.N + n - 1) / n
	b.SetBytes(100)
	b.ResetTimer()
	if _, err := clients[0].Write(benchFrame(benchText, []byte("go"))); err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() {
			for range each {
				if _, err := c.skip(); err != nil {
					b.Errorf("a client: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(each*n)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(memory, "KiB/connection")
}
