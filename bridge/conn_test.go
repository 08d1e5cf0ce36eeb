package bridge

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

// However many pings come while nothing can be written, what waits is
// bounded, every frame is whole, and the latest is answered.
func TestControlFramesThatWait(t *testing.T) {
	for _, network := range []string{"pipe", "tcp"} {
		t.Run(network, func(t *testing.T) {
			client, server := net.Pipe()
			if network == "tcp" {
				client, server = tcpPipe(t)
			}
			defer client.Close()
			defer server.Close()
			c := newConn(server, server, nil)
			filled := fill(t, c)
			var last []byte
			for i := range 10_000 {
				last = appendFrame(nil, finBit|opPong, []byte(strings.Repeat("x", 100)+fmt.Sprint(i)), false)
				if err := c.control(last); err != nil {
					t.Fatal(err)
				}
				c.mu.Lock()
				if len(c.queue) > maxQueue+maxHeader+125 { // with what is left of one under way
					t.Fatalf("%d bytes wait", len(c.queue))
				}
				c.mu.Unlock()
			}
			got := make(chan []byte)
			go func() {
				_, _ = io.CopyN(io.Discard, client, filled)
				all, _ := io.ReadAll(client)
				got <- all
			}()
			c.wg.Wait()
			server.Close()
			all := <-got
			if !bytes.HasSuffix(all, last) {
				t.Errorf("the latest is not among %d bytes", len(all))
			}
			for scanner := (frameScanner{}); len(all) > 0; {
				if all[0] != finBit|opPong {
					t.Fatalf("%d bytes before the end, a frame begins with %x", len(all), all[0])
				}
				n, err := scanner.advance(all)
				if err != nil {
					t.Fatal(err)
				}
				all = all[n:]
			}
		})
	}
}

// tcpPipe returns the two ends of a connection.
func tcpPipe(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// fill writes until the socket takes no more, and returns how much that was.
func fill(t *testing.T, c *conn) (filled int64) {
	t.Helper()
	if c.raw == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := make([]byte, 64<<10); ; {
		n := c.writeNow(p)
		if c.err != nil {
			t.Fatal(c.err)
		}
		if filled += int64(n); n == 0 {
			return filled
		}
	}
}

// A client that is gone is noticed by what is sent to it also while nothing is
// read from it, because the child does not read.
func TestConnectionLostBehindAFullBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := make(chan struct{}) // the child does
		to := &testSink{slow: func() { <-reads }}
		source, prints := io.Pipe()
		p := runPiped(t, &Handler{PingInterval: -1, MaxMessageSize: 100}, source, to)
		for range 2 {
			p.send(text(strings.Repeat("x", 90)))
			synctest.Wait()
		}
		p.Conn.Close()
		synctest.Wait()
		if hasEnded(p.session.ctx.Done()) {
			t.Fatal("the backlog is not full")
		}
		fmt.Fprintln(prints, "x")
		synctest.Wait()
		if !hasEnded(p.session.ctx.Done()) {
			t.Error("the session goes on")
		}
		close(reads)
		prints.Close()
		<-p.done
		if p.end != errLost {
			t.Errorf("ended with %v", p.end)
		}
	})
}

// A connection that cannot be taken over leaves no place taken.
func TestUpgradeThatFails(t *testing.T) {
	h := &Handler{Command: []string{"none"}, MaxForks: 1}
	for range 2 {
		w := httptest.NewRecorder() // no http.Hijacker
		h.ServeHTTP(w, upgradeRequest())
		if w.Code == 429 {
			t.Error(w.Body)
		}
	}
	if n := h.sessions(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}
