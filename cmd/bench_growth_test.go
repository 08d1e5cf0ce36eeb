package cmd_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// BenchmarkGrowth shows how the cost of a message and of a connection grows
// with the number of connections, each of which has a cat of its own and one
// message of 32 bytes under way. The README's plot is of what it prints:
//
//	go test ./cmd -run '^$' -bench 'Growth|Shared' -count 3 | tee .github/images/growth.txt
//	go generate ./cmd
func BenchmarkGrowth(b *testing.B) {
	programs := benchPrograms(b)
	for _, n := range []int{1, 10, 100, 1000, 4000} {
		n = min(n, benchMaxConnections())
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) {
			for _, p := range programs {
				s := p.start(b, false, []string{"cat"})
				clients := s.open(b, n)
				time.Sleep(benchSettle)
				memory := float64(s.resident(b)) / float64(n) / 1024
				files, threads := s.count("fd"), s.count("task")
				b.Run("program="+p.name, func(b *testing.B) {
					benchAsk(b, clients)
					b.ReportMetric(memory, "KiB/connection")
					if files > 0 {
						b.ReportMetric(files, "files")
						b.ReportMetric(threads, "threads")
					}
				})
				for _, c := range clients {
					c.Close()
				}
				s.stop()
				time.Sleep(benchSettle + time.Duration(n)*time.Millisecond/2) // for the last of the cats to go
			}
		})
	}
}

// count is how many entries a directory of the server in /proc has, where there
// is one (proc(5)).
func (s *benchServer) count(dir string) float64 {
	entries, _ := os.ReadDir(filepath.Join("/proc", strconv.Itoa(s.pid), dir))
	return float64(len(entries))
}

// benchMaxConnections is how many connections a server can have that holds
// five files for each: the socket, three pipes and the process.
func benchMaxConnections() int {
	out, err := exec.Command("sh", "-c", "ulimit -Hn").Output()
	if err != nil {
		return 1000
	}
	files, err := strconv.Atoi(string(bytes.TrimSpace(out)))
	if err != nil { // unlimited
		return 1 << 20
	}
	return (files - 100) / 5
}
