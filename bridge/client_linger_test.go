package bridge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A server's last message and close frame are read although a write failed.
func TestClientReadsOnAfterAWriteError(t *testing.T) {
	t.Parallel()
	srv := handshakeThen(t, func(nc net.Conn) {
		time.Sleep(20 * time.Millisecond)
		fmt.Fprint(nc, "\x81\x02hi\x88\x02\x0f\xa3")
	})
	for range 50 {
		stdin, keep := io.Pipe()
		go func() {
			for {
				if _, err := keep.Write([]byte("line\n")); err != nil {
					return
				}
			}
		}()
		var out bytes.Buffer
		end, err := (&Client{Stdin: stdin, Stdout: &out}).Run(t.Context(), srv.URL)
		stdin.Close()
		if err != nil || end.Code != 4003 || out.String() != "hi\n" {
			t.Fatalf("%q, %v, %v", out.String(), end, err)
		}
	}
}

// A message that takes longer than Linger to come is waited for.
func TestClientLingersWithinAMessage(t *testing.T) {
	t.Parallel()
	srv := handshakeThen(t, func(nc net.Conn) {
		nc.Write([]byte{0x81, 100})
		for range 10 {
			time.Sleep(200 * time.Millisecond)
			nc.Write([]byte("0123456789"))
		}
		io.Copy(io.Discard, nc)
	})
	var out bytes.Buffer
	end, err := (&Client{Stdin: strings.NewReader(""), Stdout: &out, Linger: 1500 * time.Millisecond}).Run(t.Context(), srv.URL)
	if out.Len() != 101 {
		t.Errorf("%d bytes, %v, %v", out.Len(), end, err)
	}
}

// A slow is an output on which the first write takes a while, and an input of
// one line that ends when that write has begun.
type slow struct {
	line  strings.Reader
	n     int
	takes time.Duration
	began chan struct{}
}

func (s *slow) Write(p []byte) (int, error) {
	if s.n == 0 {
		close(s.began)
		time.Sleep(s.takes)
	}
	s.n += len(p)
	return len(p), nil
}

func (s *slow) Read(p []byte) (int, error) {
	if s.line.Len() > 0 {
		return s.line.Read(p)
	}
	<-s.began
	return 0, io.EOF
}

// What a slow output has not taken is no silence.
func TestClientLingersForASlowStdout(t *testing.T) {
	t.Parallel()
	srv := serve(t, child(&Handler{}, "lines", "20000", "100"))
	const linger = time.Second
	stdio := &slow{takes: 2 * linger, began: make(chan struct{})}
	stdio.line.Reset("go\n")
	c := &Client{Stdin: stdio, Stdout: stdio, Linger: linger, MaxMessageSize: 100_000}
	end, err := c.Run(t.Context(), srv.URL)
	if want := 20000 * 101; err != nil || end.Code != 4005 || stdio.n != want {
		t.Errorf("%v, %v: %d bytes of %d", end, err, stdio.n, want)
	}
}

// A blocked output does not keep Run from ending when it is asked to.
func TestClientIsStoppedWhileStdoutBlocks(t *testing.T) {
	t.Parallel()
	srv := serve(t, child(&Handler{}, "line", "100"))
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	defer r.Close()
	stdin, keep := io.Pipe()
	defer keep.Close()
	time.AfterFunc(100*time.Millisecond, cancel)
	_, _ = (&Client{Stdin: stdin, Stdout: w}).Run(ctx, srv.URL)
}
