package bridge

import (
	"bytes"
	"unicode/utf8"
)

// A Framing says how a byte stream and messages correspond.
type Framing int

const (
	// Lines makes a text message of each line that the child writes,
	// without its "\n" or "\r\n", and a line of each message for it.
	Lines Framing = iota

	// Chunks makes a binary message of whatever one read brings, and
	// passes what comes in on as it is.
	Chunks
)

// maxFrame is the longest line that leaves as one frame. A longer one leaves
// as a message of several, so that its length has no limit and memory has.
const maxFrame = 1 << 20

// splitLine cuts a line off the front of data: it is data[:end], and what
// follows begins at data[next:]. The first searched bytes are known to hold no
// end of a line. atEOF says that nothing comes after data. When data holds
// only a part of a line, next is 0, unless the line is too long to wait for:
// then it is cut in pieces, and last is false for all but the last.
func splitLine(data []byte, searched int, atEOF bool) (end, next int, last bool) {
	if i := bytes.IndexByte(data[searched:], '\n'); i >= 0 {
		end, next = searched+i, searched+i+1
		if end > 0 && data[end-1] == '\r' {
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
	end = maxFrame - partialRune(data[:maxFrame])
	return end, end, false
}

// partialRune is the length of an incomplete rune at the end of p.
func partialRune(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// terminate ends the message at the end of dst as the child is to read it.
func (f Framing) terminate(dst []byte) []byte {
	if f == Chunks {
		return dst
	}
	return append(dst, '\n')
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
