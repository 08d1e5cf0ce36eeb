package bridge

import (
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A countingListener counts what its connections receive and send.
type countingListener struct {
	net.Listener
	in, out atomic.Int64
}

type countingConn struct {
	net.Conn
	l *countingListener
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l}, err
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.l.in.Add(int64(n))
	return n, err
}

func (c countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.l.out.Add(int64(n))
	return n, err
}

// Both ends of ours compress when both are told to.
func TestClientCompresses(t *testing.T) {
	for _, server := range []bool{false, true} {
		for _, client := range []bool{false, true} {
			h := child(&Handler{Compress: server}, "lines", "20", "1000")
			srv := httptest.NewUnstartedServer(h)
			l := &countingListener{Listener: srv.Listener}
			srv.Listener = l
			srv.Start()
			defer srv.Close()
			var got strings.Builder
			c := &Client{Stdin: strings.NewReader(strings.Repeat("compressible ", 2000)), Stdout: &got, Linger: testLimit, Compress: client}
			if end, err := c.Run(t.Context(), srv.URL); err != nil || end.Code != 4005 {
				t.Errorf("ended with %v, %v", end, err)
			}
			if n := strings.Count(got.String(), "\n"); n != 20 || got.Len() != 20*1001 {
				t.Errorf("got %d bytes in %d lines", got.Len(), n)
			}
			h.Shutdown(t.Context())
			for name, n := range map[string]int64{"received": l.in.Load(), "sent": l.out.Load()} {
				if compressed := n < 5000; compressed != (server && client) {
					t.Errorf("server %t, client %t: %s %d bytes", server, client, name, n)
				}
			}
		}
	}
}
