package bridge

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// Whatever a client sends, the session ends, for a reason that is one, and
// the child has read whole messages and nothing else.
func FuzzClient(f *testing.F) {
	for _, parts := range wiretest.Streams(true) {
		f.Add(bytes.Join(parts, nil), []byte{0, 1, 5, 255}, len(parts)%2 == 0)
		f.Add(bytes.Join(parts, nil), []byte{255}, len(parts)%2 == 1)
	}
	f.Add([]byte("0"), []byte("0"), false) // half a header that is wrong
	f.Fuzz(func(t *testing.T, in, sizes []byte, chunks bool) {
		framing := Framing(Lines{})
		if chunks {
			framing = Chunks{}
		}
		want := parseClient(in, framing)
		to := &testSink{ready: all}
		s, nc := inMemory(t, framing, wiretest.Limit, in, sizes, to)
		receiveAll(s)
		if got := to.has(); got != string(want.fed) || to.closed != 1 {
			t.Errorf("the child has read %q, want %q; its input was closed %d times", got, want.fed, to.closed)
		}
		cause, _ := errors.AsType[Ending](context.Cause(s.ctx))
		if !slices.Contains(want.codes, cause.Code) {
			t.Errorf("it ended for %v, want one of %d", cause, want.codes)
		}
		frames := sentFrames(t, nc.Sent())
		checkPongs(t, frames, want.pings)
		code := errLost.Code
		if n := len(frames); n > 0 && frames[n-1].op == opClose {
			code = 1005
			if p := frames[n-1].payload; len(p) >= 2 {
				code = int(binary.BigEndian.Uint16(p))
			}
		}
		if code != cause.Code {
			t.Errorf("it ended for %v, the client was told %d", cause, code)
		}
	})
}

// A clientStream is what a client's bytes mean.
type clientStream struct {
	fed   []byte   // what the child reads
	pings []string // that came before the end
	codes []int    // for one of which the session ends; 1006 when the stream ends first
}

// breaksRule reports whether the frame that p begins with breaks a rule, as soon
// as its bytes tell. open says that a message has begun.
func breaksRule(p []byte, open bool) bool {
	if len(p) == 0 {
		return false
	}
	op, fin := p[0]&0xf, p[0]&finBit != 0
	if p[0]&0x70 != 0 || op&7 > 2 || op >= 8 && !fin || op < 8 && (op == opContinuation) != open {
		return true
	}
	if len(p) == 1 {
		return false
	}
	size := p[1] & 0x7f
	return p[1]&maskBit == 0 || op >= 8 && size > 125 ||
		size == 126 && len(p) >= 4 && p[2] == 0 && p[3] < 126 ||
		size == 127 && len(p) >= 3 && p[2] >= 0x80 ||
		size == 127 && len(p) >= 8 && bytes.Equal(p[2:8], make([]byte, 6))
}

// parseClient reads a client's bytes the simple way. Text that cannot become
// UTF-8 any more may be refused at once or when the message is whole.
func parseClient(p []byte, framing Framing) (c clientStream) {
	var message []byte
	var opcode byte // of the message, 0 between two
	end := func(codes ...int) clientStream {
		if opcode == opText && !beginsUTF8(message) {
			codes = append(codes, 1007)
		}
		c.codes = codes
		return c
	}
	// next cuts n bytes off, or is nil if there are less.
	next := func(n int) []byte {
		if len(p) < n {
			return nil
		}
		head := p[:n:n]
		p = p[n:]
		return head
	}
	for {
		if breaksRule(p, opcode != 0) {
			return end(1002)
		}
		h := next(2)
		if h == nil {
			return end(1006)
		}
		fin, op, masked, size := h[0]&finBit != 0, h[0]&0xf, h[1]&maskBit != 0, uint64(h[1]&0x7f)
		switch size {
		case 126:
			b := next(2)
			if b == nil {
				return end(1006)
			}
			size = uint64(binary.BigEndian.Uint16(b))
		case 127:
			b := next(8)
			if b == nil {
				return end(1006)
			}
			size = binary.BigEndian.Uint64(b)
		}
		var key []byte
		if masked {
			if key = next(4); key == nil {
				return end(1006)
			}
		}
		n := int(min(size, uint64(len(p))))
		payload := bytes.Clone(next(n))
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		whole := uint64(n) == size
		if op < 8 {
			if opcode == 0 {
				opcode = op
			}
			message = append(message, payload...)
			if len(message) > wiretest.Limit {
				return end(1009)
			}
		}
		switch {
		case !whole:
			return end(1006)
		case op == opPing:
			c.pings = append(c.pings, string(payload))
		case op == opClose:
			switch code := int(binary.BigEndian.Uint16(append(bytes.Clone(payload), 0, 0))); {
			case n == 0:
				return end(1005)
			case n == 1, code < 1000, code > 1014 && code < 3000, code > 4999, code >= 1004 && code <= 1006:
				return end(1002)
			case !utf8.Valid(payload[2:]):
				return end(code, 1007)
			default:
				return end(code)
			}
		case op < 8 && fin:
			if opcode == opText && !utf8.Valid(message) {
				return end(1007)
			}
			c.fed = append(c.fed, fed(framing, string(message))...)
			message, opcode = nil, 0
		}
	}
}

// beginsUTF8 reports whether p can become UTF-8.
func beginsUTF8(p []byte) bool {
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size == 1 {
			return !utf8.FullRune(p)
		}
		p = p[size:]
	}
	return true
}
