package bridge

import (
	"io"
	"sync"
	"syscall"
	"unicode/utf8"
)

// streams is what the deliveries of a child's standard output and standard
// error share, when the client gets both. A line becomes a message such as
// {"stream":"stdout","data":"the line"}.
type streams struct {
	// mu is held from the first frame of a batch until the socket has the
	// batch: no frame may come between the fragments of a message (RFC 6455,
	// section 5.4). It guards session.out as well.
	mu   sync.Mutex
	open *lineDelivery // whose message has begun, and not ended
	json []byte        // room for a payload, while mu is held
}

// send is l.send, while the other stream waits.
func (t *streams) send(l *lineDelivery, atEOF bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.json = getLarge()
	defer func() {
		putBuffer(t.json)
		t.json = nil
	}()
	return l.send(atEOF)
}

// deliverStreams sends the lines of source and of stderr until both have
// ended. A child that has closed one of them may still use the other.
func (s *session) deliverStreams(stderr io.Reader, waits syscall.Conn) (readErr, writeErr error) {
	both := new(streams)
	var wg sync.WaitGroup
	var stderrErr error
	wg.Go(func() {
		log := &lineLog{log: s.log}
		l := s.newLineDelivery(stderr, waits)
		l.streams, l.name, l.logs = both, "stderr", log
		if _, stderrErr = l.deliver(); stderrErr != nil {
			_, _ = io.Copy(log, stderr) // nobody reads it any more, but it is written
		}
		log.end()
	})
	l := s.newLineDelivery(s.source, s.waits)
	l.streams, l.name = both, "stdout"
	readErr, writeErr = l.deliver()
	wg.Wait()
	if writeErr == nil {
		writeErr = stderrErr
	}
	return readErr, writeErr
}

// payload makes the payload of the next frame of l out of a piece of a line.
// The pieces of a line are parts of one string.
func (t *streams) payload(l *lineDelivery, p []byte, last bool) []byte {
	b := t.json[:0]
	if l.opcode == opText {
		b = append(append(append(b, `{"stream":"`...), l.name...), `","data":"`...)
	}
	b = appendEscaped(b, p)
	if last {
		b = append(b, `"}`...)
	}
	t.json = b
	return b
}

// turn makes it l's turn to send. When the other stream is in the middle of a
// line so long that it leaves in fragments, its message ends here, and the
// rest of that line becomes another: should l wait for the end of the line, a
// child that says something to l before it ends the line would wait for ever.
func (t *streams) turn(l *lineDelivery) {
	if other := t.open; other != nil && other != l {
		l.frames = other.appendTo(l.frames, t.payload(other, nil, true), true)
	}
}

// note notes whether the message of l is open.
func (t *streams) note(l *lineDelivery, last bool) {
	t.open = l
	if last {
		t.open = nil
	}
}

// appendEscaped appends p as the inside of a string of JSON (RFC 8259, section
// 7), with U+FFFD for what is not UTF-8. Like encoding/json it escapes also
// the two line separators that a string of JavaScript could not always hold.
func appendEscaped(dst, p []byte) []byte {
	plain := 0 // where what needs no escape begins
	for i := 0; i < len(p); {
		c, size := rune(p[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRune(p[i:])
		}
		var short byte
		switch {
		case c == '"', c == '\\':
			short = byte(c)
		case c < ' ':
			short = shortEscapes[c]
		case c == '\u2028', c == '\u2029', c == utf8.RuneError && size == 1:
		default:
			i += size
			continue
		}
		dst = append(dst, p[plain:i]...)
		if short != 0 {
			dst = append(dst, '\\', short)
		} else {
			dst = append(dst, '\\', 'u', hexDigits[c>>12&0xf], hexDigits[c>>8&0xf], hexDigits[c>>4&0xf], hexDigits[c&0xf])
		}
		i += size
		plain = i
	}
	return append(dst, p[plain:]...)
}

const hexDigits = "0123456789abcdef"

var shortEscapes = [' ']byte{'\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r'}
