//go:build unix

package process

import (
	"bufio"
	"errors"
	"os"
	"syscall"
	"testing"
)

func TestTryWrite(t *testing.T) {
	p := start(t, command("cat"))
	var sent []byte
	b := pattern(1 << 20)
	for full := 0; full < 2; {
		n, err := p.Stdin.TryWrite(b)
		if err != nil || n == len(b) {
			t.Fatalf("got %d, %v", n, err)
		}
		sent = append(sent, b[:n]...)
		b = b[n:]
		if full++; n > 0 { // cat may have read; it stops when its output is full, too
			full = 0
		}
	}
	if len(sent) == 0 {
		t.Error("nothing was written")
	}
	if n, err := p.Stdin.TryWrite(nil); n != 0 || err != nil {
		t.Errorf("nothing to write: got %d, %v", n, err)
	}
	p.Stdin.Close()
	if n, err := p.Stdin.TryWrite([]byte("x")); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: got %d, %v", n, err)
	}
	if got := receive(t, collect(p.Stdout)); got != string(sent) {
		t.Errorf("%d bytes arrived, %d were sent", len(got), len(sent))
	}
}

func TestTryWriteClosed(t *testing.T) {
	p := start(t, command("close-stdin"))
	if n, err := p.Stdin.TryWrite([]byte("early")); n != 5 || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
	expectLine(t, bufio.NewReader(p.Stdout), "closed")
	if n, err := p.Stdin.TryWrite([]byte("late")); n != 0 || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("TryWrite: got %d, %v", n, err)
	}
	if n, err := p.Stdin.Write([]byte("late")); n != 0 || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write: got %d, %v", n, err)
	}
	p.Stdin.Close()
	if n, err := p.Stdin.TryWrite([]byte("closed")); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: got %d, %v", n, err)
	}
}

func TestTryWriteAllocs(t *testing.T) {
	p := start(t, command("deaf"))
	line := []byte("a line\n")
	allocs := testing.AllocsPerRun(100, func() {
		if n, err := p.Stdin.TryWrite(line); n != len(line) || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	for n := -1; n != 0; { // nor when it is full
		n, _ = p.Stdin.TryWrite(line)
	}
	if allocs := testing.AllocsPerRun(100, func() { p.Stdin.TryWrite(line) }); allocs != 0 {
		t.Errorf("full: %v allocations", allocs)
	}
}

// A Write that waits for the child goes on when the child reads.
func TestWriteWaits(t *testing.T) {
	p := start(t, command("cat"))
	b := pattern(1 << 20)
	written := make(chan error, 1)
	go func() {
		_, err := p.Stdin.Write(b)
		p.Stdin.Close()
		written <- err
	}()
	if got := receive(t, collect(p.Stdout)); got != string(b) {
		t.Errorf("got %d bytes, want %d", len(got), len(b))
	}
	if err := receive(t, written); err != nil {
		t.Error(err)
	}
}
