package bridge

import (
	"fmt"
	"strings"
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
