package wire

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
	"testing"
	"time"

	"github.com/coder/websocket"
)

// inPieces returns how large the next piece of something is, in a cycle
// through sizes. 255 stands for a piece without a limit.
func inPieces(sizes []byte) func(left int) int {
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

// A memConn is a connection in memory: what the peer has sent is there from
// the beginning, and then its end. It has no CloseWrite, so that nobody waits
// for the peer.
type memConn struct {
	net.Conn
	piece func(left int) int

	mu      sync.Mutex
	in      []byte
	out     bytes.Buffer
	stopped bool
	closed  bool
}

func (c *memConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.stopped:
		return 0, os.ErrDeadlineExceeded
	case len(c.in) == 0:
		return 0, io.EOF
	}
	n := copy(p, c.in[:c.piece(len(c.in))])
	c.in = c.in[n:]
	return n, nil
}

func (c *memConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	return c.out.Write(p)
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = !t.IsZero() && t.Before(time.Now())
	return nil
}

func (c *memConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *memConn) sent() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.out.Bytes())
}

func (c *memConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }
func (c *memConn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (c *memConn) SetDeadline(time.Time) error      { return nil }
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

// A memUpgrade is a ResponseWriter that gives a connection up, with the first
// bytes already read.
type memUpgrade struct {
	conn  net.Conn
	early []byte
}

func (u memUpgrade) Header() http.Header         { return http.Header{} }
func (u memUpgrade) Write(p []byte) (int, error) { return len(p), nil }
func (u memUpgrade) WriteHeader(int)             {}
func (u memUpgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r := bufio.NewReader(bytes.NewReader(u.early))
	_, err := r.Peek(len(u.early))
	return u.conn, bufio.NewReadWriter(r, bufio.NewWriter(u.conn)), err
}

func upgradeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	return r
}

func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// accepted is the server's end of nc, of which early has been read.
func accepted(t testing.TB, o Options, nc net.Conn, early []byte) *Conn {
	t.Helper()
	r := upgradeRequest()
	if o.Compress {
		r.Header.Set(extensions, deflateOffer)
	}
	c, err := Accept(memUpgrade{nc, early}, r, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dialed is the client's end of nc.
func dialed(t testing.TB, o Options, nc net.Conn) *Conn {
	t.Helper()
	c := newConn(o, true)
	ws, _, err := websocket.Dial(t.Context(), "ws://localhost/", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: memServer{nc, c}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	c.ws = ws
	c.agree(o.Compress)
	return c
}

// A memServer answers a handshake and gives the library the Conn, as a dialing
// does.
type memServer struct {
	nc   net.Conn
	conn *Conn
}

func (m memServer) RoundTrip(r *http.Request) (*http.Response, error) {
	m.conn.attach(m.nc, m.nc, nil)
	header := http.Header{}
	header.Set("Upgrade", "websocket")
	header.Set("Connection", "Upgrade")
	header.Set("Sec-WebSocket-Accept", acceptKey(r.Header.Get("Sec-WebSocket-Key")))
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: header, Body: lower{m.conn}}, nil
}

// receiveAll receives until the end, as a session does that ends only because
// the WebSocket does.
func receiveAll(c *Conn, inbox Inbox) error {
	defer time.AfterFunc(time.Minute, func() { panic("the connection hangs") }).Stop()
	err := c.Receive(inbox)
	leaveOrClose(c, err)
	return err
}

func leaveOrClose(c *Conn, err error) Ending {
	c.Leave()
	c.Stop()
	end, _ := err.(Ending)
	return c.Close(end, closeLimit)
}
