package bridge

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A client that sends much at once answers pings behind that. The program, which answers
// every message, waits for the pong, and the pong must not wait for the program.
func TestResumePongBehindMuch(t *testing.T) {
	h := resumable("echo")
	h.Hosting = Resume{For: time.Hour, Buffer: 16 << 10}
	h.Bounds.MaxMessageSize = 16 << 10
	c := resume(t, serve(t, h), keyed(testKey), true)
	const messages, size = 4000, 1000
	var all []byte
	for i := range messages {
		all = append(all, text(fmt.Sprintf("%04d%s", i, strings.Repeat("x", size-4)))...)
	}
	pings := make(chan []byte, 10_000)
	go func() {
		_, err := c.Write(all)
		for p := range pings {
			if err == nil {
				_, err = c.Write(ponging(p))
			}
		}
	}()
	defer close(pings)
	for next := 0; next < messages; {
		switch f, err := c.frame(); {
		case err != nil:
			t.Fatalf("%d of %d messages have come: %v", next, messages, err)
		case f.op == opPing:
			pings <- f.payload
		case string(f.payload[:4]) != fmt.Sprintf("%04d", next):
			t.Fatalf("got %.4q, want %04d", f.payload, next)
		default:
			next++
		}
	}
}

// Behind more than the server reads ahead the pong is not found. Then the connection is
// given up, and the client, which counts, goes on with another one.
func TestResumePongBehindTooMuch(t *testing.T) {
	h := resumable("echo")
	h.Hosting = Resume{For: time.Hour, Buffer: 1 << 20}
	events := record(t, h)
	srv := serve(t, h)
	const messages, size = 150, 100_000
	lines := &countingWriter{}
	client := &Client{
		Stdin:     strings.NewReader(strings.Repeat(strings.Repeat("x", size-1)+"\n", messages)),
		Stdout:    lines,
		Reconnect: &Reconnect{Resume: true, Buffer: 128 << 20, wait: noWait},
		Linger:    time.Hour,
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		client.Run(ctx, srv.URL)
	}()
	until(t, func() bool { return lines.n.Load() == messages*size }, func() string {
		return fmt.Sprintf("all messages, of which %d bytes have come:\n%s", lines.n.Load(), events)
	})
	cancel()
	<-done
}

// A countingWriter counts the bytes that it is given.
type countingWriter struct{ n atomic.Int64 }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.n.Add(int64(len(p)))
	return len(p), nil
}
