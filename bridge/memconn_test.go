package bridge

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
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
	piece  func(left int) int
	onSend func() // called in each Write

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
	if c.onSend != nil {
		c.onSend()
	}
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

func (c *memConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }
func (c *memConn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (c *memConn) SetDeadline(time.Time) error      { return nil }
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

// A memUpgrade is a ResponseWriter that gives a memConn up, with the first
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

// inMemory is a session with nothing at its far end but to, in which the client
// sends in and is gone.
func inMemory(t testing.TB, framing Framing, limit int, in []byte, sizes []byte, to sink) (*session, *memConn) {
	piece := inPieces(sizes)
	early := min(piece(len(in)), 4096)
	nc := &memConn{in: in[early:], piece: piece}
	return accepted(t, framing, wire.Options{MaxMessageSize: limit}, nc, in[:early], nil, to), nc
}

// accepted is a session at the server's end of nc, with nothing at its far end
// but from and to.
func accepted(t testing.TB, framing Framing, o wire.Options, nc net.Conn, early []byte, from io.Reader, to sink) *session {
	link, err := wire.Accept(memUpgrade{nc, early}, upgradeRequest(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{link: link, draining: context.Background(), killed: context.Background()}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	s.inputDone = make(chan struct{})
	s.far = newOwnStreams(from, to, 0, framing, o.MaxMessageSize, func(error) {}) // a child may close its input
	return s
}

// receiveAll is the session's way from the client to the far end.
func receiveAll(s *session) {
	defer time.AfterFunc(time.Minute, func() { panic("the session hangs") }).Stop()
	s.input()
	s.far.closeInput()
	<-s.far.(*ownStreams).feed.done
	s.link.Close(wire.Ending(endingFor(context.Cause(s.ctx), process.State{})), closeLimit)
}

// deliver is its way from the far end to the client.
func (s *session) deliver() (readErr, err error) {
	far := s.far.(*ownStreams)
	d := &delivery{codec: far.codec, out: s, batch: s.link.NewBatch()}
	return d.run(&stream{name: "stdout", from: readerSource{far.input}})
}

// A readerSource is a reader that never has nothing.
type readerSource struct{ io.Reader }

func (r readerSource) ReadTo(take func() []byte, _ func()) (int, error) { return r.Read(take()) }

// sentFrames reads what a server has sent, which must be whole frames.
func sentFrames(t *testing.T, sent []byte) []frame {
	t.Helper()
	p := &peer{t: t, r: bufio.NewReader(bytes.NewReader(sent))}
	var frames []frame
	for {
		f, err := p.frame()
		if err == io.EOF {
			return frames
		}
		if err != nil {
			t.Fatalf("frame %d: %v", len(frames), err)
		}
		frames = append(frames, f)
	}
}
