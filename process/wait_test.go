package process

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

func TestWait(t *testing.T) { testWait(t, start) }

// testWait is also run on a child that is watched in the other way.
func testWait(t *testing.T, start func(testing.TB, *Command) *Process) {
	p := start(t, command("cat"))
	cause := errors.New("cause")
	for range 3 {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if err := p.Wait(ctx); err != cause {
			t.Fatalf("got %v", err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
		if err := p.Wait(ctx); err != context.DeadlineExceeded {
			t.Fatalf("got %v", err)
		}
		stop()
	}
	p.Stdin.Close()
	wait(t, p)
	for range 100 { // it stays so, and counts more than ctx
		if err := p.Wait(done); err != nil {
			t.Fatal(err)
		}
	}
	if state := p.End(done); state != (State{}) {
		t.Error(state)
	}
}

// The exit and the end of ctx may come at the same moment.
func TestWaitRace(t *testing.T) { testWaitRace(t, start) }

func testWaitRace(t *testing.T, start func(testing.TB, *Command) *Process) {
	for range 10 {
		p := start(t, command("exit", "7"))
		for {
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(rand.N(20*time.Microsecond), cancel)
			err := p.Wait(ctx)
			timer.Stop()
			cancel()
			if err == nil {
				break
			}
			if err != context.Canceled {
				t.Fatal(err)
			}
		}
		if state := p.End(done); state != (State{Status: 7}) {
			t.Fatal(state)
		}
	}
}
