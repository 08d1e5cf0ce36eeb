package cmd

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A cutter is a proxy on the way to a server, which loses connections.
type cutter struct {
	testing.TB
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	// Each WebSocket is cut after some bytes up to this many; 0: never.
	most atomic.Int64
	down atomic.Bool // no WebSocket gets through
	cuts atomic.Int64

	mu   sync.Mutex
	open map[*cutConn]struct{}
	over bool
}

// A cutConn is a connection through a cutter.
type cutConn struct {
	client net.Conn
	left   atomic.Int64 // bytes

	// Guarded by the cutter's mu.
	server net.Conn // nil before there is one
	socket bool
}

// cutting is a cutter before a server at http://127.0.0.1:PORT/, until the test ends.
func cutting(t testing.TB, page string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{TB: t, listener: l, target: strings.Trim(strings.TrimPrefix(page, "http://"), "/"), open: map[*cutConn]struct{}{}}
	c.wg.Go(c.serve)
	t.Cleanup(func() {
		l.Close()
		c.mu.Lock()
		c.over = true
		c.mu.Unlock()
		c.cut(func(*cutConn) bool { return true })
		c.wg.Wait()
	})
	return c
}

// page is the address of the server's page through the cutter.
func (c *cutter) page() string { return "http://" + c.listener.Addr().String() + "/" }

func (c *cutter) serve() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.wg.Go(func() { c.pass(client) })
	}
}

// pass passes on what one connection brings, which may be nothing for long.
func (c *cutter) pass(client net.Conn) {
	conn := &cutConn{client: client}
	defer c.end(conn, false)
	if !c.enter(conn) {
		return
	}
	defer c.leave(conn)
	head := make([]byte, 16<<10)
	n, err := client.Read(head)
	if err != nil {
		return
	}
	socket := bytes.Contains(head[:n], []byte("Upgrade: websocket"))
	if socket && c.down.Load() {
		return
	}
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	conn.left.Store(1 << 62)
	if most := c.most.Load(); socket && most > 0 {
		conn.left.Store(rand.Int64N(most))
	}
	c.mu.Lock()
	conn.socket, conn.server = socket, server
	c.mu.Unlock()
	var ways sync.WaitGroup
	ways.Go(func() { c.copy(conn, server, io.MultiReader(bytes.NewReader(head[:n]), client)) })
	ways.Go(func() { c.copy(conn, client, server) })
	ways.Wait()
}

func (c *cutter) enter(conn *cutConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.open[conn] = struct{}{}
	return true
}

func (c *cutter) leave(conn *cutConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

// copy passes bytes on, until one end is gone or the connection is cut, which may be
// inside a frame.
func (c *cutter) copy(conn *cutConn, to io.Writer, from io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		left := conn.left.Add(-int64(n))
		if left < 0 {
			n = max(0, n+int(left))
		}
		_, writeErr := to.Write(buf[:n])
		if err != nil || writeErr != nil || left < 0 {
			if left < 0 {
				c.cuts.Add(1)
			}
			c.end(conn, left < 0)
			return
		}
	}
}

// end ends both connections; when they are cut, by a reset in half of the cases. The
// cutter is locked.
func (c *cutConn) end(cut bool) {
	for _, end := range []net.Conn{c.client, c.server} {
		if end == nil {
			continue
		}
		if tcp, ok := end.(*net.TCPConn); ok && cut && rand.IntN(2) == 0 {
			_ = tcp.SetLinger(0)
		}
		end.Close()
	}
}

func (c *cutter) end(conn *cutConn, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.end(cut)
}

// cut cuts the connections that it shall.
func (c *cutter) cut(which func(*cutConn) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		if which(conn) {
			conn.end(true)
		}
	}
}

// goDown cuts all WebSockets and lets none through, until goUp is called.
func (c *cutter) goDown() {
	c.down.Store(true)
	c.cut(func(conn *cutConn) bool { return conn.socket })
}

func (c *cutter) goUp() { c.down.Store(false) }
