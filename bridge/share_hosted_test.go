package bridge

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// Clients of a shared program that compress and that do not get the same, in every
// framing, also one that comes late and one that comes back, with messages larger
// than the buffer and without pings.
func TestShareFramings(t *testing.T) {
	sizes := []string{"10", "3000", "70000", "1", "1100000", "20", "3"} // the longest leaves in fragments
	for _, framing := range []Framing{Lines{}, Tagged{}, Chunks{}} {
		t.Run(fmt.Sprintf("%T", framing), func(t *testing.T) {
			h := shared(Share{Slow: SlowWait, Buffer: 20_000, Replay: 1000}, "waitline", sizes...)
			h.Framing, h.Compress = framing, true
			h.Bounds.PingInterval = -1
			events := record(t, h)
			srv := serve(t, h)
			var want strings.Builder
			for _, size := range sizes {
				line := strings.Repeat("x", number(size))
				switch framing {
				case Tagged{}:
					line = `{"stream":"stdout","data":"` + line + `"}`
				case Chunks{}:
					line += "\n"
				}
				want.WriteString(line)
			}
			var wg sync.WaitGroup
			var first *peer
			for i := range 4 {
				lines := []string{"X: y"}
				if i%2 == 1 {
					lines = []string{"Sec-WebSocket-Extensions: permessage-deflate"}
				}
				p := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/", lines...))
				p.compresses = i%2 == 1
				if first == nil {
					first = p
				}
				wg.Go(func() {
					var got strings.Builder
					for got.Len() < want.Len() {
						got.WriteString(p.large())
					}
					if got.String() != want.String() {
						t.Errorf("%d got %d bytes, want %d", i, got.Len(), want.Len())
					}
				})
			}
			events.waitFor(4, anAttachment)
			first.write(text("go\n"))
			wg.Wait()
		})
	}
}

// A client cannot have counted what it skipped, so it begins anew.
func TestShareSkippingBeginsAnew(t *testing.T) {
	t.Parallel()
	srv := serve(t, shared(Share{Slow: SlowSkip, Replay: 1}, "echo"))
	c := sharing(t, srv, "")
	for _, m := range []string{"m1", "m2", "m3"} {
		c.write(text(m))
		c.wantMessages(m)
	}
	run := c.greeting.Session
	for _, query := range []string{"", received(run, 1), received(run, 3), received(run, 9)} {
		d := sharing(t, srv, query)
		d.wantGreeting(greeting{run, false, 0, 3})
		d.wantMessages("m3")
	}
}

func init() {
	// waitline SIZE… waits for a line, and then does what line does.
	children["waitline"] = func(args []string) {
		var line string
		fmt.Scanln(&line)
		children["line"](args)
	}
}
