package bridge

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A cutter is a proxy that cuts connections after so many bytes.
type cutter struct {
	net.Listener
	to   string
	wg   sync.WaitGroup
	cuts func(connection int) (up, down int) // negative: never
	n    atomic.Int32                        // connections
	mu   sync.Mutex
	open []net.Conn
}

// cutBetween starts a cutter before a server.
func cutBetween(t testing.TB, srv *httptest.Server, cuts func(connection int) (up, down int)) *cutter {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: ln, to: srv.Listener.Addr().String(), cuts: cuts}
	c.wg.Go(c.serve)
	t.Cleanup(func() {
		ln.Close()
		c.cutAll()
		c.wg.Wait()
	})
	return c
}

func (c *cutter) url(query string) string { return "ws://" + c.Addr().String() + "/?" + query }

func (c *cutter) serve() {
	for {
		client, err := c.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", c.to)
		if err != nil {
			client.Close()
			continue
		}
		c.mu.Lock()
		c.open = append(c.open, client, server)
		c.mu.Unlock()
		up, down := c.cuts(int(c.n.Add(1)) - 1)
		c.wg.Go(func() { pass(server, client, up) })
		c.wg.Go(func() { pass(client, server, down) })
	}
}

// pass passes n bytes on and then cuts both ends.
func pass(to, from net.Conn, n int) {
	defer to.Close()
	defer from.Close()
	if n < 0 {
		_, _ = io.Copy(to, from)
		return
	}
	_, _ = io.CopyN(to, from, int64(n))
	if n%2 == 1 { // as a router that restarts
		_ = to.(*net.TCPConn).SetLinger(0)
		_ = from.(*net.TCPConn).SetLinger(0)
	}
}

// cutAll cuts what is connected.
func (c *cutter) cutAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, nc := range c.open {
		nc.Close()
	}
	c.open = nil
}

// never is for connections that are not cut.
func never(int) (up, down int) { return -1, -1 }

// noWait tries again without waiting long.
func noWait(int) time.Duration { return time.Millisecond }

// manyLines is n lines, each with its number.
func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

// Each message arrives exactly once, both ways, wherever connections are cut.
func TestResumingClient(t *testing.T) {
	for _, compress := range []bool{false, true} {
		t.Run(fmt.Sprintf("compress=%t", compress), func(t *testing.T) {
			t.Parallel()
			h := resumable("echo")
			h.Compress = compress
			events := record(t, h)
			rnd := rand.New(rand.NewPCG(1, 2))
			proxy := cutBetween(t, serve(t, h), func(n int) (up, down int) {
				if n >= 150 {
					return -1, -1
				}
				return 200 + rnd.IntN(2000), 100 + rnd.IntN(2000)
			})
			in := manyLines(5000) + strings.Repeat("wide ", 20_000) + "\n" + manyLines(5000)
			stdio := newConversation(in, len(in))
			c := &Client{Stdin: stdio, Stdout: stdio, Compress: compress, MaxMessageSize: -1,
				Reconnect: &Reconnect{Resume: true, Buffer: 16 << 10, wait: noWait}}
			end, err := c.Run(t.Context(), proxy.url("a=1"))
			if err != nil || end != (Ending{1000, ""}) {
				t.Errorf("ended with %v, %v", end, err)
			}
			if got := stdio.out.String(); got != in {
				t.Errorf("sent %d bytes, got %d: %.200q", len(in), len(got), firstDifference(got, in))
			}
			if n := events.count(an[Started]()); n != 1 {
				t.Errorf("%d programs", n)
			}
			events.wait(closedWith(1000))
		})
	}
}

// firstDifference is where two texts begin to differ.
func firstDifference(got, want string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	return got[i:]
}

// A connection may be cut after any byte, in either direction: in the handshake, in
// the greeting, in a message, in a ping or its answer, in a close frame.
func TestResumingClientCutAnywhere(t *testing.T) {
	t.Parallel()
	in := manyLines(3)
	srv := serve(t, resumable("echo"))
	for _, down := range []bool{false, true} {
		for at := 1; at < 400; at += 7 {
			proxy := cutBetween(t, srv, func(n int) (int, int) {
				switch {
				case n > 0:
					return -1, -1
				case down:
					return -1, at
				}
				return at, -1
			})
			stdio := newConversation(in, len(in))
			c := &Client{Stdin: stdio, Stdout: stdio, Reconnect: &Reconnect{Resume: true, wait: noWait}}
			end, err := c.Run(t.Context(), proxy.url(""))
			if err != nil && proxy.n.Load() == 1 && stdio.out.Len() == 0 {
				continue // the first connection was not made
			}
			if err != nil || end.Code != 1000 || stdio.out.String() != in {
				t.Errorf("cut after byte %d, down %t: %v, %v, %q", at, down, end, err, stdio.out.String())
			}
		}
	}
}

// A switchable is a handler that a test replaces.
type switchable struct {
	mu sync.Mutex
	to http.Handler
}

func (s *switchable) set(to http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
}

func (s *switchable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	to := s.to
	s.mu.Unlock()
	to.ServeHTTP(w, r)
}

func serveAny(t testing.TB, h http.Handler) *httptest.Server {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}
