// Package wiretest has what the tests of packages bridge and wire share: connections
// in memory, and frames that package wire has not made, so that it is not its own judge.
package wiretest

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"
)

// InPieces returns how large the next piece of something is, in a cycle
// through sizes. 255 stands for a piece without a limit.
func InPieces(sizes []byte) func(left int) int {
	i := 0
	return func(left int) int {
		if len(sizes) == 0 {
			return left
		}
		b := int(sizes[i%len(sizes)])
		i++
		if b == 255 {
			return left
		}
		return min(left, 1+b*b/8)
	}
}

// A Conn is a connection in memory: what the peer has sent is there from
// the beginning, and then its end. It has no CloseWrite, so that nobody waits
// for the peer.
type Conn struct {
	net.Conn
	In     []byte             // what the peer has sent
	Piece  func(left int) int // how much of it a Read gets
	OnSend func()             // called in each Write; may be nil

	mu      sync.Mutex
	out     bytes.Buffer
	stopped bool
	closed  bool
}

func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.stopped:
		return 0, os.ErrDeadlineExceeded
	case len(c.In) == 0:
		return 0, io.EOF
	}
	n := copy(p, c.In[:c.Piece(len(c.In))])
	c.In = c.In[n:]
	return n, nil
}

func (c *Conn) Write(p []byte) (int, error) {
	if c.OnSend != nil {
		c.OnSend()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	return c.out.Write(p)
}

// Sent is what was written so far.
func (c *Conn) Sent() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.out.Bytes())
}

func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = !t.IsZero() && t.Before(time.Now())
	return nil
}

func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *Conn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }
func (c *Conn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (c *Conn) SetDeadline(time.Time) error      { return nil }
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// An Upgrade is a ResponseWriter that gives a connection up, of which Early has been
// read.
type Upgrade struct {
	Conn  net.Conn
	Early []byte
}

func (u Upgrade) Header() http.Header         { return http.Header{} }
func (u Upgrade) Write(p []byte) (int, error) { return len(p), nil }
func (u Upgrade) WriteHeader(int)             {}
func (u Upgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r := bufio.NewReader(bytes.NewReader(u.Early))
	_, err := r.Peek(len(u.Early))
	return u.Conn, bufio.NewReadWriter(r, bufio.NewWriter(u.Conn)), err
}

// Request is a good opening handshake.
func Request() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	return r
}

// AcceptKey is the answer to a Sec-WebSocket-Key (RFC 6455, section 4.2.2).
func AcceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
