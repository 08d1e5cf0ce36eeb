package wire

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	// The goroutine that delivers signals, which fuzzing starts, never ends;
	// have it before counting.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	// What package net makes at its first lookup must not belong to the bubble
	// of one test.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _ = (&net.Resolver{PreferGo: true}).LookupAddr(ctx, "127.0.0.1")
	before := runtime.NumGoroutine()
	status := m.Run()
	if status == 0 && flag.Lookup("test.fuzz").Value.String() == "" { // it waits for signals for good
		status = leaks(before)
	}
	os.Exit(status)
}

// leaks reports goroutines that the tests have left.
func leaks(before int) int {
	deadline := time.Now().Add(10 * time.Second)
	for ; runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", stacks[:runtime.Stack(stacks, true)])
			return 1
		}
	}
	return 0
}
