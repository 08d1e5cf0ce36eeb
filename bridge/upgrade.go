package bridge

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// newSession prepares a session as far as it does not need the connection.
func (h *Handler) newSession(r *http.Request, p program) *session {
	g := h.join(p)
	s := &session{
		framing:        h.Framing,
		compress:       h.Compress,
		passStderr:     h.PassStderr && h.Framing == Lines,
		subprotocol:    h.subprotocol(r),
		maxMessageSize: h.maxMessageSize(),
		pingInterval:   cmp.Or(h.PingInterval, DefaultPingInterval),
		life:           lifetime{limit: h.Timeout},
		idle:           idleness{limit: h.IdleTimeout, began: time.Now()},
		generation:     g,
		draining:       g.ctx,
		killed:         h.killed,
	}
	s.ctx, s.end = context.WithCancelCause(g.ctx)
	return s
}

// refuse closes a WebSocket that gets no child.
func (s *session) refuse(c Close) {
	defer context.AfterFunc(s.killed, s.conn.cut)()
	s.end(c)
	s.closeHandshake(c)
	_ = s.ws.CloseNow() // lets go of the library's finalizer
}

// upgrade makes the handshake and puts the session's conn under the WebSocket.
func (s *session) upgrade(w http.ResponseWriter, r *http.Request) (err error) {
	hijacker := &hijacker{ResponseWriter: w, session: s}
	s.ws, err = websocket.Accept(hijacker, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // Host and Origin have been checked
		Subprotocols:       []string{s.subprotocol},
		CompressionMode:    compressionMode(s.compress),
		// The library's own answer would wait for the socket, and after
		// five seconds end the session (of a client that reads slowly).
		OnPingReceived: s.answer,
		OnPongReceived: s.pong,
	})
	if err != nil {
		s.end(err)
		return err
	}
	s.ws.SetReadLimit(-1) // readMessage has the limit
	s.compresses(w.Header())
	return nil
}

func (s *session) answer(_ context.Context, payload []byte) bool {
	_ = s.conn.control(appendFrame(nil, finBit|opPong, payload, s.conn.masked))
	return false
}

// A hijacker gives the library the session's conn in place of the server's.
type hijacker struct {
	http.ResponseWriter
	session *session
}

// bufio's buffers for the library, which reads headers and control frames
// through the one and writes control frames with the other.
const libraryBuffer = 256

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early := make([]byte, brw.Reader.Buffered())
	if _, err := brw.Read(early); err != nil && len(early) > 0 {
		nc.Close()
		return nil, nil, err
	}
	c := h.session.setConn(nc, nc, early)
	return c, bufio.NewReadWriter(bufio.NewReaderSize(c, libraryBuffer), bufio.NewWriterSize(c, libraryBuffer)), nil
}

// setConn puts a conn under the session. Reads come from r.
func (s *session) setConn(nc net.Conn, r io.Reader, early []byte) *conn {
	s.conn = newConn(nc, r, early)
	s.pongs = make(chan bool, 1)
	s.conn.idle = s.passOn
	s.conn.got = func() {
		if s.reading || len(s.conn.in) > 0 {
			s.noteHeard()
		}
		if s.idle.limit > 0 {
			s.idle.readAt = s.idle.now()
		}
	}
	if s.idle.limit > 0 {
		s.conn.sent = func() { s.idle.out.Store(s.idle.now()) }
	}
	s.conn.lost = func() {
		if s.feed.full() {
			s.end(errLost)
			return
		}
		// The reader finds out why, unless it waits for the child.
		time.AfterFunc(closeLimit, func() { s.end(errLost) })
	}
	return s.conn
}

// attach gives the session what is at the other end.
func (s *session) attach(source io.Reader, to sink) {
	s.source = source
	if s.child != nil {
		s.waits = s.child.Stdout // our own input may be a file, which cannot be waited for
	}
	wg, failed := &s.wg, func(error) {} // a child may close its input
	if s.child == nil {
		wg = new(sync.WaitGroup) // a write to our own output may never return
		failed = func(err error) { s.end(&localError{"write output", err}) }
	}
	s.feed.init(to, s.maxMessageSize, wg, failed)
	s.inputDone = make(chan struct{})
	s.outputDone = make(chan struct{})
}
