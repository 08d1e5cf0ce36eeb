package wire

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// A Conn is one WebSocket over a transport. One goroutine reads it (Receive),
// one sends data (Send); whoever wants may call the other methods. Data frames
// are made and, as far as they are whole messages, taken here. The library does
// the opening handshake and reads messages in fragments.
type Conn struct {
	ws       *websocket.Conn
	t        transport
	limit    int  // bytes that a message which comes may have
	inPieces bool // a long one is handed over piece by piece
	masked   bool // this is a client's end: the frames that it sends are masked
	compress bool // messages may be compressed, as the handshake has agreed

	reader reader // owned by the goroutine that reads
	writer writer
	life   life

	in, out counters
	state   atomic.Uint32 // of the reader: bits heard and busy

	mu    sync.Mutex
	phase phase
	fate  fate
}

// A fate is how a Conn ends, as far as that is known.
type fate struct {
	over     bool    // the close handshake is done or impossible: only finish remains
	answered bool    // the peer has answered our close frame
	cause    *Ending // of a connection that was cut, if anybody knew
}

// Options are what both ends have to say about a connection.
type Options struct {
	// Subprotocols are the names to offer, or at a server the one that is
	// chosen.
	Subprotocols []string

	// Compress offers, or accepts, to compress messages (RFC 7692).
	Compress bool

	// MaxMessageSize is how many bytes a message that comes may have; one that
	// has more ends the connection with 1009.
	MaxMessageSize int

	// InPieces hands over a message longer than a buffer piece by piece, as it
	// comes.
	InPieces bool

	// AnswerAfter is how long a close frame with 1000 waits for its answer, if Close
	// does not give that before. Until then more can be sent (RFC 6455, section 5.5.1).
	AnswerAfter time.Duration

	// PingInterval is the time between two pings; none are sent when it is
	// not positive.
	PingInterval time.Duration

	// Answered, if not nil, is told the answer to the handshake that Dial has made.
	Answered func(*http.Response)

	// Pong, if not nil, is told how long a pong has taken.
	Pong func(time.Duration)

	// SendBuffer is how much the system may keep for a client that does not read;
	// zero leaves that to the system, where it may be megabytes.
	SendBuffer int
}

// counters are of whole messages and the bytes of their payloads.
type counters struct{ messages, bytes atomic.Int64 }

// Traffic is what has gone one way.
type Traffic struct{ Messages, Bytes int64 }

func (c *counters) add(messages, bytes int) {
	c.messages.Add(int64(messages))
	c.bytes.Add(int64(bytes))
}

func (c *counters) set(t Traffic) {
	c.messages.Store(t.Messages)
	c.bytes.Store(t.Bytes)
}

func (c *counters) traffic() Traffic { return Traffic{c.messages.Load(), c.bytes.Load()} }

// Subprotocol is what the handshake has chosen, or empty.
func (c *Conn) Subprotocol() string { return c.ws.Subprotocol() }

// Received is what has been handed to the Inbox, as of its last Wait.
func (c *Conn) Received() Traffic { return c.in.traffic() }

// Sent is what the socket has taken, in whole batches.
func (c *Conn) Sent() Traffic { return c.out.traffic() }

// A phase says who may read a Conn, and each sets the read deadline. Receive has
// none, except after a write has failed: then it has closeLimit to find out why.
// A deadline in the past wakes a reader that shall leave. After finish nobody
// sets it any more.
type phase int

const (
	reading  phase = iota // Receive
	stopped               // nobody: Receive shall return
	resumed               // Close, for the close handshake
	finished              // finish, to the end
)

var longAgo = time.Unix(0, 1)

// newConn makes a Conn, which attach gives its connection.
func newConn(o Options, masked bool) *Conn {
	c := &Conn{limit: o.MaxMessageSize, inPieces: o.InPieces, masked: masked, compress: o.Compress}
	c.reader.checker.fromServer, c.reader.answerAfter = masked, o.AnswerAfter
	c.writer.free.L = &c.writer.mu
	c.life.interval = o.PingInterval
	if o.Pong != nil {
		c.life.timing = &timing{told: o.Pong}
	}
	return c
}

// attach puts the Conn on a connection, which is read through r. The bytes in
// early are read first; they came with the handshake.
func (c *Conn) attach(nc net.Conn, r io.Reader, early []byte) {
	c.reader.in = early
	c.t.init(nc, r, c)
}

// agree takes note of whether messages may be compressed.
func (c *Conn) agree(compress bool) { c.compress, c.reader.checker.compress = compress, compress }

// enter begins a phase with a read deadline, unless finish has begun.
func (c *Conn) enter(p phase, deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != finished {
		c.phase = p
		_ = c.t.SetReadDeadline(deadline)
	}
}

func (c *Conn) isIn(p phase) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == p
}

// readOut gives Receive a while to read what the peer sent before a write to it
// failed, a close frame perhaps. It reports whether Receive is there to do so.
func (c *Conn) readOut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != reading {
		return false
	}
	_ = c.t.SetReadDeadline(time.Now().Add(closeLimit))
	return true
}

// Stop makes Receive return ErrStopped when it has no more to hand out.
func (c *Conn) Stop() { c.enter(stopped, longAgo) }

// Cut ends the connection at once: reads and writes under way fail.
func (c *Conn) Cut() { c.t.cut() }

// cutFor is Cut for a cause that Receive shall return.
func (c *Conn) cutFor(cause Ending) {
	c.mu.Lock()
	c.fate.cause = &cause
	c.mu.Unlock()
	c.t.cut()
}

// lost is why the socket cannot be read any more.
func (c *Conn) lost() Ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fate.cause != nil {
		return *c.fate.cause
	}
	return Lost
}

// IsGone reports whether the peer has closed its side or the connection is
// broken, also while nobody reads. Only Linux can tell of the first.
func (c *Conn) IsGone() bool { return c.writer.failed() || c.t.isGone() }

// take and drop lend the reader's buffer to the transport. What is in it, the
// beginning of a frame, stays before what is read.
func (c *Conn) take() []byte {
	r := &c.reader
	if r.buf == nil {
		r.buf = GetLarge()[:LargeBuffer]
	}
	if len(r.in) > 0 && &r.in[0] != &r.buf[0] {
		r.in = r.buf[:copy(r.buf, r.in)]
	}
	return r.buf[len(r.in):]
}

func (c *Conn) drop() {
	r := &c.reader
	switch {
	case r.buf == nil || len(r.in) > SmallBuffer: // not worth a copy for each packet
		return
	case len(r.in) > 0:
		r.in = bytes.Clone(r.in)
	}
	PutBuffer(r.buf)
	r.buf = nil
}
