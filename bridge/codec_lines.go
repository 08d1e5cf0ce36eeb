package bridge

import (
	"bytes"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// Lines makes a text message of each line that the program writes, without its
// "\n" or "\r\n", and a line of each message for it. Output that is not UTF-8 is
// repaired with U+FFFD.
type Lines struct{}

func (Lines) newCodec() codec { return lineCodec{} }

type lineCodec struct{}

// lines are the records of most programs.
const lines = records('\n')

func (lineCodec) withStderr() bool { return false }
func (lineCodec) inPieces() bool   { return true }

func (lineCodec) feed(batch []byte, _ int, _ wire.Kind) ([]byte, action, error) {
	return append(batch, '\n'), nil, nil
}

func (lineCodec) cut(d *delivery, s *stream, atEOF bool) error { return lines.cut(d, s, atEOF) }

// records are what a program writes with a byte behind each.
type records byte

// cut makes a text message of each record.
func (r records) cut(d *delivery, s *stream, atEOF bool) error {
	rest, searched := s.data(), s.searched
	for len(rest) > 0 {
		end, next, last := r.split(rest, searched, atEOF)
		if next == 0 {
			break
		}
		if err := d.add(wire.Text, valid(rest[:end]), last); err != nil {
			return err
		}
		rest, searched = rest[next:], 0
	}
	s.keep(rest)
	if atEOF && d.batch.IsOpen() {
		return d.add(wire.Text, nil, true)
	}
	return nil
}

// maxFrame is the longest record that leaves as one frame. A longer one leaves as
// a message of several, so that its length has no limit and memory has.
const maxFrame = 1 << 20

// split cuts a record off the front of data: it is data[:end], and what follows
// begins at data[next:]. The "\r" before a "\n" belongs to neither. The first
// searched bytes are known to hold no end of a record. atEOF says that nothing
// comes after data. When data holds only a part of a record, next is 0, unless the
// record is too long to wait for: then it is cut in pieces, and last is false for
// all but the last.
func (r records) split(data []byte, searched int, atEOF bool) (end, next int, last bool) {
	if i := bytes.IndexByte(data[searched:], byte(r)); i >= 0 {
		end, next = searched+i, searched+i+1
		if r == lines && end > 0 && data[end-1] == '\r' {
			end--
		}
		if end <= maxFrame {
			return end, next, true
		}
	} else if atEOF && len(data) <= maxFrame {
		return len(data), len(data), true
	} else if !atEOF && len(data) < maxFrame+len("\r\n") {
		return 0, 0, false
	}
	end = maxFrame - wire.PartialRune(data[:maxFrame])
	return end, end, false
}

// valid is p as a text message may have it.
func valid(p []byte) []byte {
	if utf8.Valid(p) {
		return p
	}
	return appendValid(nil, p)
}

// appendValid appends p to dst with U+FFFD in place of every byte that is not
// part of valid UTF-8, which a text message must be (RFC 6455, section 8.1).
func appendValid(dst, p []byte) []byte {
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		dst = utf8.AppendRune(dst, r)
		p = p[size:]
	}
	return dst
}
