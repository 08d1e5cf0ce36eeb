// Package leak makes tests fail that leave goroutines behind.
package leak

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"time"
)

// Checked is a testing.M whose Run fails if goroutines are left behind.
type Checked struct{ M interface{ Run() int } }

// Run runs the tests and returns the exit status.
func (c Checked) Run() int {
	// The goroutine that delivers signals never ends; have it before counting.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	before := runtime.NumGoroutine()

	status := c.M.Run()

	http.DefaultClient.CloseIdleConnections()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "%d goroutines before the tests, %d after:\n", before, runtime.NumGoroutine())
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			return max(status, 1)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return status
}
