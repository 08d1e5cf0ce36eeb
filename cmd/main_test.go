package cmd

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes commands of this binary: wsbridge itself, and child, the
// program that it serves in the scripts.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){
		"wsbridge": func() { os.Exit(Main(os.Args[1:])) },
		"child":    func() { os.Exit(child(os.Args[1:])) },
	})
}

// leakChecked fails a run that leaves goroutines behind.
type leakChecked struct{ testscript.TestingM }

func (m leakChecked) Run() int {
	// The goroutine that delivers signals never ends; have it before counting.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	before := runtime.NumGoroutine()

	status := m.TestingM.Run()

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
