package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// However what the peer sends is split, and however the library reads, it sees
// the same bytes; never more at once than up to the end of a frame, nothing of a
// control frame, and nothing of a frame that breaks a rule.
func FuzzLower(f *testing.F) {
	for i, masked := range []bool{true, false} {
		for j, parts := range wiretest.Streams(masked) {
			f.Add(bytes.Join(parts, nil), []byte{0, 1, 5, 255}, []byte{50}, masked, (i+j)%2 == 0)
			f.Add(bytes.Join(parts, nil), []byte{255}, []byte{0}, masked, (i+j)%2 == 1)
		}
		long := appendFrame(nil, opText, make([]byte, 1<<16), masked)
		f.Add(appendFrame(long, finBit, []byte("x"), masked), []byte{255, 0}, []byte{200}, masked, true)
	}
	f.Fuzz(func(t *testing.T, in, pieces, reads []byte, masked, compress bool) {
		checkLower(t, in, wiretest.InPieces(pieces), wiretest.InPieces(reads), masked, compress)
	})
}

// The same for many frames of all sizes, some of them wrong.
func TestLower(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for i := range 200 {
		masked, compress := i&1 != 0, i&2 != 0
		var in []byte
		open := false
		for range r.IntN(40) {
			first := byte(opText + r.IntN(2))
			if open {
				first = opContinuation
			}
			size := frameSizes[r.IntN(len(frameSizes)-3)]
			switch r.IntN(30) {
			case 0:
				size = frameSizes[len(frameSizes)-1-r.IntN(3)]
			case 1:
				first = byte(r.Uint32()) // which is wrong, mostly
			}
			if r.IntN(3) == 0 {
				first, size = finBit|byte(opPing+r.IntN(2)), r.IntN(maxControl+1)
			} else if open = r.IntN(2) == 0; !open {
				first |= finBit
			}
			in = appendFrame(in, first, randomBytes(r, size), masked)
		}
		in = in[:len(in)-min(len(in), r.IntN(20))]
		checkLower(t, in, wiretest.InPieces(randomBytes(r, 5)), wiretest.InPieces(randomBytes(r, 5)), masked, compress)
	}
}

func checkLower(t *testing.T, in []byte, piece, read func(left int) int, masked, compress bool) {
	t.Helper()
	want := expectLower(in, masked, compress)
	c := newConn(Options{}, !masked)
	c.agree(compress)
	nc := &wiretest.Conn{In: in, Piece: piece}
	early := in[:min(piece(len(in)), len(in))]
	nc.In = in[len(early):]
	c.attach(nc, nc, bytes.Clone(early))
	at := 0
	p := make([]byte, 4096)
	for {
		size := max(1, read(len(p)))
		n, err := lower{c}.Read(p[:size])
		if err != nil {
			if n != 0 {
				t.Errorf("%d bytes come with %v", n, err)
			}
			end, _ := errors.AsType[Ending](err)
			if closed := err == errPeerClosed; closed != want.closed || !closed && ((end == Lost) == want.violated || end.Code == 0) {
				t.Errorf("ended with %v, want %+v", err, want)
			}
			if _, again := (lower{c}).Read(p[:size]); again != err {
				t.Errorf("ended with %v, and then with %v", err, again)
			}
			break
		}
		if n <= 0 || n > size || at+n > len(want.out) || !bytes.Equal(p[:n], want.out[at:at+n]) {
			t.Fatalf("at byte %d of %d, %d other bytes are read", at, len(want.out), n)
		}
		for i := at + 1; i < at+n; i++ {
			if want.edges[i] {
				t.Fatalf("a read of %d bytes goes over the end of a frame at byte %d", n, i)
			}
		}
		at += n
	}
	if at != len(want.out) {
		t.Errorf("%d bytes are read of %d", at, len(want.out))
	}
}

// An expected is what the library must see.
type expected struct {
	out      []byte
	edges    map[int]bool // where frames begin in out, and the end
	closed   bool         // a close frame comes behind it
	violated bool         // a rule is broken there
}

// expectLower reads what a peer has sent the simple way.
func expectLower(p []byte, masked, compress bool) expected {
	e := expected{edges: map[int]bool{}}
	open := false
	for {
		begin := len(e.out)
		e.edges[begin] = true
		if len(p) == 0 {
			return e
		}
		op, fin, rsv := p[0]&0xf, p[0]&0x80 != 0, p[0]&0x70
		isData, isControl := op == 1 || op == 2, op >= 8
		reserved := rsv != 0 && (rsv != 0x40 || !compress || !isData)
		if reserved || op&7 > 2 || isControl && !fin || op == 0 && !open || isData && open {
			e.violated = true
			return e
		}
		if len(p) < 2 {
			return e
		}
		header, size := 2, uint64(p[1]&0x7f)
		e.violated = masked != (p[1]&0x80 != 0) || isControl && size > 125
		switch {
		case e.violated:
			return e
		case size == 126 && len(p) >= 4:
			header, size = 4, uint64(binary.BigEndian.Uint16(p[2:]))
			e.violated = size < 126
		case size == 127:
			e.violated = len(p) >= 3 && p[2] >= 0x80 || len(p) >= 8 && bytes.Equal(p[2:8], make([]byte, 6))
			if len(p) >= 10 {
				size = binary.BigEndian.Uint64(p[2:])
			}
			header = 10
		case size == 126:
			return e
		}
		if masked {
			header += 4
		}
		if e.violated || len(p) < header {
			return e
		}
		n := int(min(size, uint64(len(p)-header)))
		if isControl && uint64(n) < size {
			return e
		}
		if op == 8 {
			e.closed = isClosePayload(p[:header+n], masked)
			e.violated = !e.closed
			return e
		}
		if isControl { // not for the library
			delete(e.edges, begin)
			p = p[header+n:]
			continue
		}
		e.out = append(e.out, p[:header+n]...)
		e.out[begin] &^= 0x40
		open = !fin
		if uint64(n) < size {
			return e
		}
		p = p[header+n:]
	}
}

// isClosePayload reports whether a close frame says what one may.
func isClosePayload(sent []byte, masked bool) bool {
	f, _, err := cutFrame(sent)
	if err != nil || f.masked != masked {
		return false
	}
	if len(f.payload) < 2 {
		return len(f.payload) == 0
	}
	code := f.ending().Code
	reserved := code < 1000 || code >= 1004 && code <= 1006 || code >= 1015 && code < 3000 || code > 4999
	return !reserved && utf8.Valid(f.payload[2:])
}
