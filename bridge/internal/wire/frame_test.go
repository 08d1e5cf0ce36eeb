package wire

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// frameSizes are the payloads around which the header changes its form, and
// those around the eight bytes that a mask is applied to at a time.
var frameSizes = []int{0, 1, 3, 7, 8, 9, 125, 126, 127, 65535, 65536, 65537}

func randomBytes(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

func TestHeader(t *testing.T) {
	key := &[4]byte{0x37, 0xfa, 0x21, 0x3d}
	for _, test := range []struct {
		first byte
		size  int
		key   *[4]byte
		want  string
	}{
		{finBit | opText, 0, nil, "81 00"},
		{finBit | opText, 5, nil, "81 05"},
		{opText, 3, nil, "01 03"},
		{finBit | opContinuation, 2, nil, "80 02"},
		{finBit | opPing, 5, nil, "89 05"},
		{finBit | opPong, 5, key, "8a 85 37 fa 21 3d"},
		{finBit | opClose, 125, nil, "88 7d"},
		{finBit | opText, 126, nil, "81 7e 00 7e"},
		{finBit | opBinary, 256, nil, "82 7e 01 00"},
		{finBit | opText, 65535, nil, "81 7e ff ff"},
		{finBit | opBinary, 65536, nil, "82 7f 00 00 00 00 00 01 00 00"},
		{finBit | opText, 126, key, "81 fe 00 7e 37 fa 21 3d"},
		{finBit | opText, 65536, key, "81 ff 00 00 00 00 00 01 00 00 37 fa 21 3d"},
	} {
		header := appendHeader([]byte("before"), test.first, test.size, test.key)
		rest, ok := bytes.CutPrefix(header, []byte("before"))
		if got := fmt.Sprintf("% x", rest); !ok || got != test.want {
			t.Errorf("header of %#x with %d bytes: %s, want %s", test.first, test.size, got, test.want)
		}
		if len(rest) > HeaderRoom {
			t.Errorf("header of %d bytes, HeaderRoom is %d", len(rest), HeaderRoom)
		}
	}
}

// The masked frame of RFC 6455, section 5.7.
func TestMaskOfTheRFC(t *testing.T) {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	p := []byte("Hello")
	applyMask(p, key)
	if got := fmt.Sprintf("% x", appendHeader(nil, finBit|opText, len(p), &key)); got != "81 85 37 fa 21 3d" {
		t.Errorf("header % s", got)
	}
	if got := fmt.Sprintf("% x", p); got != "7f 9f 4d 51 58" {
		t.Errorf("payload %s", got)
	}
}

func TestMask(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 70 {
		key := [4]byte(randomBytes(r, 4))
		p := randomBytes(r, n)
		want := bytes.Clone(p)
		for i := range want {
			want[i] ^= key[i%4]
		}
		applyMask(p, key)
		if !bytes.Equal(p, want) {
			t.Fatalf("%d bytes are masked wrongly", n)
		}
	}
}

func TestFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, size := range frameSizes {
		for _, masked := range []bool{false, true} {
			payload := randomBytes(r, size)
			original := bytes.Clone(payload)
			check := func(how string, frame []byte) {
				t.Helper()
				f, rest, err := cutFrame(frame)
				if err != nil || f.first != finBit|opBinary || f.masked != masked || len(rest) > 0 || !bytes.Equal(f.payload, original) {
					t.Errorf("%s of %d bytes, masked %t: %v, first byte %#x, masked %t, %d bytes after it, payload equal: %t",
						how, size, masked, err, f.first, f.masked, len(rest), bytes.Equal(f.payload, original))
				}
			}
			frames := appendFrame([]byte("before"), finBit|opBinary, payload, masked)
			if !bytes.HasPrefix(frames, []byte("before")) {
				t.Errorf("appendFrame of %d bytes overwrites what was there", size)
			}
			check("appendFrame", frames[len("before"):])
			if !bytes.Equal(payload, original) {
				t.Errorf("appendFrame changes a payload of %d bytes, which is not its own", size)
			}
			check("frameInPlace", frameInPlace(append(make([]byte, HeaderRoom), payload...), finBit|opBinary, masked))
		}
	}
}

func TestFrameInPlaceCopiesNothing(t *testing.T) {
	p := make([]byte, HeaderRoom+100)
	if n := testing.AllocsPerRun(100, func() { frameInPlace(p, finBit|opBinary, false) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if frame := frameInPlace(p, finBit|opBinary, false); &frame[len(frame)-1] != &p[len(p)-1] {
		t.Error("the frame is a copy")
	}
}

func TestKeysDiffer(t *testing.T) {
	keys := map[[4]byte]bool{}
	for range 100 {
		keys[newKey()] = true
	}
	if len(keys) < 99 {
		t.Errorf("%d different keys of 100", len(keys))
	}
}

// A header is read as it was written, and only when all of it is there.
func TestParseHeader(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, size := range append(frameSizes, math.MaxInt32, math.MaxInt/2) {
		for _, masked := range []bool{false, true} {
			var key *[4]byte
			if masked {
				key = (*[4]byte)(randomBytes(r, 4))
			}
			written := appendHeader(nil, finBit|opText, size, key)
			for n := range written {
				if h := parseHeader(written[:n:n]); h.size != 0 {
					t.Errorf("%d bytes, masked %t: after %d bytes of %d the header is there", size, masked, n, len(written))
				}
			}
			h := parseHeader(append(written, 0xff))
			same := h.length == uint64(size) && h.masked == masked && h.first == finBit|opText
			if h.size != len(written) || !same || masked && h.key != *key {
				t.Errorf("%d bytes, masked %t: read as %+v", size, masked, h)
			}
			if !h.shortest() || h.isControl() || !h.fin() || h.opcode() != opText || h.frameSize() != uint64(size+len(written)) {
				t.Errorf("%d bytes, masked %t: not what it is: %+v", size, masked, h)
			}
		}
	}
}

// A length that no memory could hold is only a number.
func TestHugeFrame(t *testing.T) {
	h := parseHeader([]byte{finBit | opBinary, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	if h.size != 10 || h.frameSize() != 1<<63-1+10 {
		t.Errorf("%+v", h)
	}
}

// Unmasking tells ASCII from all else, wherever that is and however long.
func TestMaskTellsASCII(t *testing.T) {
	key := [4]byte{0xff, 0x80, 0x7f, 0x01}
	for n := range 70 {
		p := bytes.Repeat([]byte("a"), n)
		for at := -1; at < n; at++ {
			if at >= 0 {
				p[at] = 0x80
			}
			src, dst := bytes.Clone(p), make([]byte, n)
			applyMask(src, key)
			if ascii := applyMaskTo(dst, src, key); ascii != (at < 0) || !bytes.Equal(dst, p) {
				t.Errorf("%d bytes, one at %d is not: %t", n, at, ascii)
			}
			if at >= 0 {
				p[at] = 'a'
			}
		}
	}
}

func TestPartialRune(t *testing.T) {
	for p, want := range map[string]int{
		"":                     0,
		"x":                    0,
		"é":                    0,
		"€":                    0,
		"😀":                    0,
		"\ufffd":               0,
		"\xc3":                 1,
		"x\xe2":                1,
		"x\xe2\x82":            2,
		"\xf0":                 1,
		"\xf0\x9f":             2,
		"x\xf0\x9f\x98":        3,
		"\xff":                 0, // begins nothing
		"\xc0":                 0,
		"\x80":                 0,
		"\x80\x80\x80\x80":     0,
		"\xe2x":                0,
		"\xe0\x80":             0, // an encoding that is too long
		"\xed\xa0":             0, // half of a surrogate
		"\xf5\x80":             0, // beyond the last rune
		"\xf0\x9f\x98\x80\xc3": 1,
	} {
		if got := PartialRune([]byte(p)); got != want {
			t.Errorf("PartialRune(%q) = %d, want %d", p, got, want)
		}
	}
}
