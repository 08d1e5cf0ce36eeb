package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// The last words arrive together with the end of file.
func TestLastWords(t *testing.T) {
	for range 20 {
		p := start(t, command("print", "100"))
		out := collect(p.Stdout)
		wait(t, p)
		p.End(t.Context())
		if got := receive(t, out); got != string(pattern(100)) {
			t.Fatalf("got %d bytes, want 100", len(got))
		}
		if n, err := p.Stdout.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("Read at the end: %d, %v", n, err)
		}
	}
}

// What was written just before the exit waits for a reader who is slow.
func TestSlowReader(t *testing.T) {
	const size = 1 << 20
	p := start(t, command("print", strconv.Itoa(size)))
	exited := make(chan error, 1)
	go func() { exited <- p.Wait(context.Background()) }()
	var got []byte
	buf := make([]byte, 5000)
	var err error
	for err == nil {
		var n int
		n, err = p.Stdout.Read(buf)
		got = append(got, buf[:n]...)
		select {
		case <-exited: // End gives up holding before the pipe is empty
			p.End(done)
			exited = nil
		default:
			time.Sleep(100 * time.Microsecond)
		}
	}
	if exited != nil {
		receive(t, exited)
	}
	if err != io.EOF || !bytes.Equal(got, pattern(size)) {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, size)
	}
	if state := p.End(done); state != (State{}) {
		t.Error(state)
	}
}

func TestCloseInput(t *testing.T) {
	p := start(t, command("deaf"))
	written := make(chan error, 1)
	go func() {
		_, err := p.Stdin.Write(make([]byte, 1<<20)) // more than any pipe takes
		written <- err
	}()
	select {
	case err := <-written:
		t.Fatal("Write has not waited: ", err)
	case <-time.After(20 * time.Millisecond):
	}
	p.Stdin.Close()
	if runtime.GOOS == "windows" {
		p.End(done)
		if err := receive(t, written); err == nil {
			t.Error("blocked Write: no error")
		}
	} else if err := receive(t, written); !errors.Is(err, os.ErrClosed) {
		t.Errorf("blocked Write: got %v", err)
	}
	if n, err := p.Stdin.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close: got %d, %v", n, err)
	}
}
