package bridge

import (
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// Tagged sends the lines of the program's standard error to the client too,
// besides reporting them as events. Each line of either stream is a message of
// JSON (RFC 8259) that says which it is of:
//
//	{"stream":"stderr","data":"the line"}
//
// in the order in which they were read. A line over 1 MiB in whose middle the
// other stream has something to say becomes several messages. What comes in is
// as with Lines.
type Tagged struct{}

func (Tagged) newCodec() codec { return new(taggedCodec) }

type taggedCodec struct {
	lineCodec
	open *stream // whose message has begun, and not ended
	json []byte  // room for a payload, while cut runs
}

func (*taggedCodec) withStderr() bool { return true }

func (t *taggedCodec) cut(d *delivery, s *stream, atEOF bool) error {
	t.json = wire.GetLarge()
	err := t.lines(d, s, atEOF)
	wire.PutBuffer(t.json)
	t.json = nil
	return err
}

func (t *taggedCodec) lines(d *delivery, s *stream, atEOF bool) error {
	rest, searched := s.data(), s.searched
	for len(rest) > 0 {
		end, next, last := lines.split(rest, searched, atEOF)
		if next == 0 {
			break
		}
		if err := t.add(d, s, rest[:end], last); err != nil {
			return err
		}
		rest, searched = rest[next:], 0
	}
	s.keep(rest)
	if atEOF && t.open == s {
		return t.add(d, s, nil, true)
	}
	return nil
}

// add adds a piece of a line of s. When the other stream is in the middle of a
// line so long that it leaves in fragments, its message ends here, and the rest
// of that line becomes another: if s waited for the end of that line, a program
// that says something to s before it ends the line would wait for ever. And no
// frame may come between the fragments of a message (RFC 6455, section 5.4).
func (t *taggedCodec) add(d *delivery, s *stream, line []byte, last bool) error {
	if t.open != nil && t.open != s {
		if err := d.add(wire.Text, t.payload(t.open, nil, true), true); err != nil {
			return err
		}
		t.open = nil
	}
	payload := t.payload(s, line, last)
	if t.open = s; last {
		t.open = nil
	}
	return d.add(wire.Text, payload, last)
}

// payload makes the payload of the next frame of s out of a piece of a line. The
// pieces of a line are parts of one string.
func (t *taggedCodec) payload(s *stream, piece []byte, last bool) []byte {
	b := t.json[:0]
	if t.open != s {
		b = append(append(append(b, `{"stream":"`...), s.name...), `","data":"`...)
	}
	b = appendEscaped(b, piece)
	if last {
		b = append(b, `"}`...)
	}
	t.json = b
	return b
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
