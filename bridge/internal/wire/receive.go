package wire

import (
	"context"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// An Inbox takes what Receive reads, in the goroutine that called it.
type Inbox interface {
	// Room returns message with room for at least n more bytes behind it, the
	// nil slice standing for a message that begins. What it returned last must
	// stay where it is until it is called again or the message is handed over.
	Room(message []byte, n int) []byte

	// Message takes a message, which lies in what Room returned. With
	// Options.InPieces a long one comes in several pieces; whole is true for
	// the last.
	Message(kind Kind, payload []byte, whole bool)

	// Wait is called before Receive waits for the socket: what has been taken
	// must go on its way now. begun says that a part of a message is there.
	Wait(begun bool)
}

// Receive reads messages until the WebSocket ends, and returns how: an Ending, or
// ErrStopped after Stop. After TooBig, NotUTF8 and a message that cannot be
// decompressed no close frame has been sent yet, and after 1000 with
// Options.AnswerAfter perhaps none: call Close. After any other Ending, which has been
// answered as far as possible, call Leave.
func (c *Conn) Receive(inbox Inbox) error {
	c.reader.inbox = inbox
	err := c.receive()
	return c.ended(err)
}

// ended is the end of Receive, for an error of the reader's.
func (c *Conn) ended(err error) error {
	c.in.set(c.reader.taken)
	c.reader.inbox = nil
	c.state.Or(busy) // nobody reads pongs
	if errors.Is(err, ErrStopped) {
		return ErrStopped
	}
	end, ours := errors.AsType[Ending](err)
	switch {
	case errors.Is(err, errPeerClosed):
		end = *c.reader.closed
		if end.Code == codeNormal && c.reader.answerAfter > 0 {
			c.reader.answer = time.AfterFunc(c.reader.answerAfter, func() { _ = c.control(closeFrame(end, c.masked)) })
			return end
		}
	case c.reader.failed:
		end = c.lost()
	case !ours:
		end = violation("protocol error") // the library's words are its own
	case end.Code == codeTooBig, end == NotUTF8, end == corrupt:
		return end
	}
	c.mu.Lock()
	c.fate.over = true
	c.mu.Unlock()
	if !c.reader.failed {
		_ = c.control(closeFrame(end, c.masked))
	}
	return end
}

// Leave ends the connection of a WebSocket that has ended by itself. It may wait
// for the peer to do its part.
func (c *Conn) Leave() {
	switch {
	case !c.isOver():
	case c.reader.failed:
		c.Cut()
		c.finish(0)
	default:
		c.finish(lingerLimit)
	}
}

func (c *Conn) isOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fate.over
}

func (c *Conn) receive() error {
	for {
		if err := c.receiveWhole(); err != nil {
			return err
		}
		if err := c.receiveNext(); err != nil {
			return err
		}
	}
}

// receiveWhole hands over messages as long as those that come next are one
// frame each. Nearly all are, and through the library one of 100 bytes costs 510
// ns instead of 52, one of 1000 bytes 630 instead of 150 (BenchmarkReceive).
// Everything else is left to the library, from its first byte on: messages in
// fragments, long or compressed ones, control frames, errors. The error is
// ErrStopped; that the connection has ended it leaves to the library to find.
func (c *Conn) receiveWhole() error {
	r := &c.reader
	var h header
	for {
		h.parse(r.in)
		switch {
		case len(r.in) == 0 || c.mayBeWhole(&h):
		case h.isControl() && h.size > 0 && uint64(len(r.in)) >= h.frameSize() && r.checker.check(r.in) == nil && c.takeControl(h):
			continue
		default:
			return nil
		}
		if h.size == 0 || uint64(len(r.in)) < h.frameSize() {
			if err := c.fill(); err == ErrStopped {
				return err
			} else if err != nil {
				return nil
			}
			continue
		}
		payload := r.in[h.size:h.frameSize()]
		message := r.inbox.Room(nil, len(payload))[:len(payload)]
		ascii := applyMaskTo(message, payload, h.key)
		if h.opcode() == opText && !ascii && !utf8.Valid(message) {
			return nil
		}
		r.in = r.in[h.frameSize():]
		c.hand(Kind(h.opcode()), message, len(message), true)
	}
}

// mayBeWhole reports whether the frame that has begun may be a message that
// receiveWhole takes, as far as its header is there.
func (c *Conn) mayBeWhole(h *header) bool {
	first := c.reader.in[0]
	if opcode := first &^ finBit; first&finBit == 0 || opcode != opText && opcode != opBinary {
		return false
	}
	if h.size == 0 {
		return (len(c.reader.in) < 2 || c.reader.in[1]&^maskBit != 127) && c.reader.checker.check(c.reader.in) == nil
	}
	return h.masked != c.masked && h.length < 1<<16 && h.length <= uint64(c.limit) && h.shortest()
}

// hand hands over a message of size bytes, or a piece of it.
func (c *Conn) hand(kind Kind, piece []byte, size int, whole bool) {
	if whole {
		c.reader.taken.Messages++
		c.reader.taken.Bytes += int64(size)
	}
	c.reader.inbox.Message(kind, piece, whole)
}

// receiveNext hands over the next message, whatever it is like.
func (c *Conn) receiveNext() error {
	typ, payload, err := c.ws.Reader(context.Background())
	if err != nil {
		return err
	}
	if c.inPieces {
		payload = &prompt{r: &c.reader, from: payload}
	}
	m := message{conn: c, kind: Text, limit: c.limit, from: payload}
	if typ == websocket.MessageBinary {
		m.kind = Binary
	}
	if c.reader.header.first&rsv1Bit != 0 {
		inflater := newInflater(payload)
		defer inflater.put()
		m.from = inflater
	}
	return m.read()
}

// A message is one that is read through the library.
type message struct {
	conn  *Conn
	from  io.Reader
	kind  Kind
	limit int
	size  int    // bytes that have come
	data  []byte // of them, those that have not been handed over
	valid int    // bytes of data that are known to be UTF-8
}

// read hands the message over, whole or not at all, unless it may come in
// pieces. Text that is not UTF-8 is found at the end of the read that makes it
// so.
func (m *message) read() error {
	for {
		n, err := m.readOnce()
		m.size += n
		if m.size > m.limit {
			return TooBig(m.limit)
		}
		ended := errors.Is(err, io.EOF)
		switch {
		case ended && m.conn.reader.failed:
			// The library tells the end of the connection between two frames
			// of a message no differently.
			return m.conn.lost()
		case err != nil && !ended:
			return err
		case !m.isText(ended):
			return NotUTF8
		case ended:
			m.conn.hand(m.kind, m.data, m.size, true)
			return nil
		case m.conn.inPieces && m.size >= LargeBuffer:
			m.handPiece()
		}
	}
}

// readOnce reads behind what is there. The library fills what it is given
// before it returns, so a message over the limit must not be waited for.
func (m *message) readOnce() (int, error) {
	room := 1
	if m.conn.inPieces {
		room = SmallBuffer
	}
	m.data = m.conn.reader.inbox.Room(m.data, room)
	free := m.data[len(m.data):cap(m.data)]
	if left := m.limit - m.size; left < len(free) {
		free = free[:left+1]
	}
	n, err := m.from.Read(free)
	m.data = m.data[:len(m.data)+n]
	return n, err
}

// A prompt reads a message's payload through the library, but no more at once
// than is there, so that the library does not wait to fill what it is given.
type prompt struct {
	r    *reader
	from io.Reader
	read int64
}

func (p *prompt) Read(b []byte) (int, error) {
	there := int64(min(uint64(len(p.r.in)), p.r.left)) + p.r.handed - p.read
	n, err := p.from.Read(b[:min(int64(len(b)), max(1, there))])
	p.read += int64(n)
	return n, err
}

// isText reports whether what has come is UTF-8, as far as that can be told
// before the message has ended.
func (m *message) isText(ended bool) bool {
	if m.kind != Text {
		return true
	}
	unchecked := m.data[m.valid:]
	if !ended {
		unchecked = unchecked[:len(unchecked)-PartialRune(unchecked)]
	}
	m.valid += len(unchecked)
	return utf8.Valid(unchecked)
}

// handPiece hands over what is there, up to the last whole rune.
func (m *message) handPiece() {
	piece, rest := m.data, []byte(nil)
	if m.kind == Text {
		piece, rest = m.data[:m.valid], m.data[m.valid:]
	}
	var partial [utf8.UTFMax]byte
	n := copy(partial[:], rest)
	m.conn.hand(m.kind, piece, m.size, false)
	m.data = append(m.conn.reader.inbox.Room(nil, n), partial[:n]...)
	m.valid = 0
}
