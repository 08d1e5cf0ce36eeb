package bridge

import (
	"io"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/process"
)

// output reads what the child writes and sends it as messages, until the
// child's output ends or the WebSocket takes no more.
func (s *session) output() {
	defer close(s.outputDone)
	s.delivered(s.deliver())
}

// delivered ends the session when there is no more output, or nobody who
// takes it.
func (s *session) delivered(readErr, writeErr error) {
	switch {
	case writeErr != nil:
		// Whoever sent the close frame or lost the socket says why.
		if s.child != nil {
			s.child.Stdout.Abandon()
		}
	case s.child != nil:
		s.end(errChildDone)
	case readErr != io.EOF:
		s.end(&localError{"read input", readErr})
	default:
		s.listenOn()
	}
}

// listenOn waits, after the end of our own input, until nothing has come for
// the linger time.
func (s *session) listenOn() {
	for wait := s.linger; wait > 0; {
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(wait):
		}
		if heard := s.lastHeard.Load(); heard != busy {
			wait = s.linger - time.Since(time.Unix(0, heard))
		}
	}
	s.end(errInputDone)
}

// deliver sends what the child writes. What one read brought leaves in one
// write: nothing waits for more while there is something to send. It returns
// why it ended: the error of the child's output, io.EOF for instance, or that
// of the WebSocket.
func (s *session) deliver() (readErr, writeErr error) {
	switch {
	case s.framing == Chunks:
		return s.deliverChunks()
	case s.passStderr:
		return s.deliverStreams(s.child.Stderr, s.child.Stderr)
	}
	return s.newLineDelivery(s.source, s.waits).deliver()
}

// widen gives a child that fills its pipe one that holds more. n is how much
// a read brought.
func (s *session) widen(n int) {
	if n >= process.PipeSize && !s.wide && s.child != nil {
		s.wide = s.child.Stdout.Widen()
	}
}

// outputBuffer returns an empty buffer for all that a read may bring.
func (s *session) outputBuffer() []byte {
	if s.wide {
		return getWide()
	}
	return getLarge()
}

// deliverChunks reads behind the room for a header, so that nothing is copied.
func (s *session) deliverChunks() (readErr, writeErr error) {
	var buf []byte
	take := func() []byte {
		if buf == nil {
			buf = s.outputBuffer()
			buf = buf[:cap(buf)]
		}
		return buf[maxHeader:]
	}
	drop := func() { putBuffer(buf); buf = nil }
	defer drop()
	var source readyReader
	source.init(s.source, s.waits, take, drop)
	for {
		n, readErr := source.read()
		s.widen(n)
		if n > 0 {
			s.out.messages++
			s.out.bytes += int64(n)
			if err := s.deliverChunk(buf[:maxHeader+n]); err != nil {
				return nil, err
			}
		}
		if readErr != nil {
			return readErr, nil
		}
	}
}

// deliverChunk sends what is in chunk behind the room for a header.
func (s *session) deliverChunk(chunk []byte) error {
	if !s.compress {
		return s.conn.writeData(frameInPlace(chunk, finBit|opBinary, s.conn.masked))
	}
	c := deflation{on: true}
	frames := c.appendFrame(s.outputBuffer(), finBit|opBinary, chunk[maxHeader:], s.conn.masked)
	defer putBuffer(frames)
	return s.conn.writeData(frames)
}

// A lineDelivery is the way of a child's lines into frames.
type lineDelivery struct {
	*session
	from      readyReader
	data      []byte // read and not yet sent: the beginning of a line
	searched  int    // bytes of data that hold no end of a line
	opcode    byte   // of the next frame: opContinuation within a line
	frames    []byte // to be written at once
	deflation deflation

	// When the client gets two streams.
	streams *streams
	name    string   // of this one
	logs    *lineLog // what is read goes there as well; nil: it does not
}

// newLineDelivery makes a delivery of the lines of source. With waits it is
// source's own that tells when there is something to read.
func (s *session) newLineDelivery(source io.Reader, waits syscall.Conn) *lineDelivery {
	l := &lineDelivery{session: s, opcode: opText, deflation: deflation{on: s.compress}}
	l.from.init(source, waits, l.take, l.drop)
	return l
}

// deliver sends the lines until there are no more, or nobody who takes them.
func (l *lineDelivery) deliver() (readErr, writeErr error) {
	defer func() { putBuffer(l.data) }()
	for {
		n, readErr := l.from.read()
		old := len(l.data)
		l.data = l.data[:old+n]
		if l.streams == nil {
			l.widen(n)
		} else if l.logs != nil {
			_, _ = l.logs.Write(l.data[old:])
		}
		var err error
		if l.streams == nil {
			err = l.send(readErr != nil)
		} else {
			err = l.streams.send(l, readErr != nil)
		}
		if err != nil {
			return nil, err
		}
		if readErr != nil {
			return readErr, nil
		}
	}
}

// take returns room to read into, behind data. It grows when data fills it,
// up to the longest frame.
func (l *lineDelivery) take() []byte {
	switch {
	case l.data == nil:
		l.data = l.outputBuffer()
	case cap(l.data)-len(l.data) < smallBuffer:
		grown := make([]byte, len(l.data), min(4*cap(l.data), maxFrame+largeBuffer))
		copy(grown, l.data)
		putBuffer(l.data)
		l.data = grown
	}
	return l.data[len(l.data):cap(l.data)]
}

// drop gives the room back, unless the beginning of a line is in it.
func (l *lineDelivery) drop() {
	if len(l.data) == 0 {
		putBuffer(l.data)
		l.data = nil
	}
}

// send frames the lines that are whole and writes the frames.
func (l *lineDelivery) send(atEOF bool) (err error) {
	l.frames = l.outputBuffer()
	defer func() {
		putBuffer(l.frames)
		l.frames = nil
	}()
	rest := l.data
	for len(rest) > 0 {
		end, next, last := splitLine(rest, l.searched, atEOF)
		if next == 0 {
			break
		}
		if err := l.frame(rest[:end], last); err != nil {
			return err
		}
		rest, l.searched = rest[next:], 0
	}
	l.searched = len(rest)
	if atEOF && l.opcode == opContinuation {
		if err := l.frame(nil, true); err != nil {
			return err
		}
	}
	l.data = l.data[:copy(l.data, rest)]
	return l.flush()
}

// frame makes a frame of a line, or of a piece of one.
func (l *lineDelivery) frame(p []byte, last bool) error {
	switch {
	case l.streams != nil:
		l.streams.turn(l)
		p = l.streams.payload(l, p, last)
	case !utf8.Valid(p):
		p = appendValid(nil, p)
	}
	if len(l.frames) > 0 && len(l.frames)+maxHeader+len(p) > cap(l.frames) {
		if err := l.flush(); err != nil {
			return err
		}
	}
	l.frames = l.appendTo(l.frames, p, last)
	return nil
}

// appendTo appends a frame with the next payload of the message.
func (l *lineDelivery) appendTo(frames, payload []byte, last bool) []byte {
	first := l.opcode
	l.opcode = opContinuation
	if last {
		first |= finBit
		l.opcode = opText
		l.out.messages++
	}
	if l.streams != nil {
		l.streams.note(l, last)
	}
	l.out.bytes += int64(len(payload))
	return l.deflation.appendFrame(frames, first, payload, l.conn.masked)
}

func (l *lineDelivery) flush() error {
	if len(l.frames) == 0 {
		return nil
	}
	err := l.conn.writeData(l.frames)
	l.frames = l.frames[:0]
	return err
}
