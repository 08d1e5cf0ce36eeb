package process

import (
	"bufio"
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A child that ends at the end of its standard input is not signalled.
func TestEndOfStdinIsEnough(t *testing.T) {
	c := command("cat")
	c.Grace = limit
	p := start(t, c)
	out := collect(p.Stdout)
	if _, err := p.Stdin.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	p.Stdin.Close()
	if state := p.End(t.Context()); state != (State{}) {
		t.Error(state)
	}
	if got := receive(t, out); got != "last words" {
		t.Errorf("got %q", got)
	}
}

// A ctx that is done ends every wait, a long grace or not.
func TestEndAtOnce(t *testing.T) {
	c := command("deaf")
	c.Grace = time.Hour
	p := start(t, c)
	out := bufio.NewReader(p.Stdout)
	expectLine(t, out, "ready")
	p.End(done)
	if b, err := io.ReadAll(out); len(b) > 0 || err != nil {
		t.Errorf("after End: read %q, %v", b, err)
	}

	// Also one that becomes done later.
	p = start(t, c)
	out = bufio.NewReader(p.Stdout)
	expectLine(t, out, "ready")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan State, 1)
	go func() { ended <- p.End(ctx) }()
	time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
	cancel()
	receive(t, ended)
}

// While others hold the standard output of a child that exited, it is read.
func TestHolding(t *testing.T) {
	c := command("leave", "holder")
	c.Grace = time.Hour
	p := start(t, c)
	errs := bufio.NewReader(p.Stderr)
	holder := watch(t, atoi(readLine(t, errs)))
	wait(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan State, 1)
	go func() { ended <- p.End(ctx) }()
	out := bufio.NewReader(p.Stdout)
	lines := []string{readLine(t, out), readLine(t, out)}
	slices.Sort(lines)
	if want := []string{"holder", "leader"}; !slices.Equal(lines, want) {
		t.Errorf("got lines %q, want %q", lines, want)
	}
	rest := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(out)
		rest <- string(b)
	}()
	select {
	case state := <-ended:
		t.Errorf("End has not held, it returned %v", state)
	case s := <-rest:
		t.Errorf("End has not held, the output ended with %q", s)
	default:
	}
	cancel()
	if state := receive(t, ended); state != (State{Status: 3}) {
		t.Error(state)
	}
	if s := receive(t, rest); s != "" {
		t.Errorf("then came %q", s)
	}
	holder.expectGone(t)
}

// What nobody reads is not held.
func TestHoldingAbandoned(t *testing.T) {
	c := command("leave", "holder")
	c.Grace = time.Hour
	p := start(t, c)
	holder := watch(t, atoi(readLine(t, bufio.NewReader(p.Stderr))))
	wait(t, p)
	ended := make(chan State, 1)
	go func() { ended <- p.End(t.Context()) }()
	p.Stdout.Abandon()
	if state := receive(t, ended); state != (State{Status: 3}) {
		t.Error(state)
	}
	holder.expectGone(t)
}

// They hold it for a while only, and die then.
func TestHoldingEnds(t *testing.T) {
	for _, grace := range []time.Duration{0, 200 * time.Millisecond} {
		t.Run(grace.String(), func(t *testing.T) {
			t.Parallel()
			c := command("leave", "holder")
			c.Grace = grace
			p := start(t, c)
			holder := watch(t, atoi(readLine(t, bufio.NewReader(p.Stderr))))
			out := collect(p.Stdout)
			wait(t, p)
			began := time.Now()
			if state := p.End(t.Context()); state != (State{Status: 3}) {
				t.Error(state)
			}
			if d := time.Since(began); d < holding+grace {
				t.Errorf("held only for %v", d)
			}
			if got := receive(t, out); !strings.Contains(got, "leader\n") {
				t.Errorf("got %q", got)
			}
			holder.expectGone(t)
		})
	}
}

// A child that exited with nobody else at its output is not held.
func TestNotHolding(t *testing.T) {
	c := command("print", "10")
	c.Grace = time.Hour
	p := start(t, c)
	out := collect(p.Stdout)
	wait(t, p)
	p.End(t.Context())
	if got := receive(t, out); got != string(pattern(10)) {
		t.Errorf("got %q", got)
	}
}

func TestLadderLength(t *testing.T) {
	for grace, want := range map[time.Duration]time.Duration{0: 850 * time.Millisecond, time.Second: 3850 * time.Millisecond} {
		if got := Ladder(grace); got != want {
			t.Errorf("with a grace of %v it takes %v, want %v", grace, got, want)
		}
	}
}
