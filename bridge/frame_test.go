package bridge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
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
		if len(rest) > maxHeader {
			t.Errorf("header of %d bytes, maxHeader is %d", len(rest), maxHeader)
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

// parseFrame reads the frame at the front of p, the simple way.
func parseFrame(t *testing.T, p []byte) (first byte, payload []byte, masked bool, rest []byte) {
	t.Helper()
	first, masked = p[0], p[1]&0x80 != 0
	size := int(p[1] & 0x7f)
	p = p[2:]
	switch size {
	case 126:
		size, p = int(binary.BigEndian.Uint16(p)), p[2:]
		if size < 126 {
			t.Errorf("%d bytes with a length of 16 bits", size)
		}
	case 127:
		size, p = int(binary.BigEndian.Uint64(p)), p[8:]
		if size < 1<<16 {
			t.Errorf("%d bytes with a length of 64 bits", size)
		}
	}
	var key []byte
	if masked {
		key, p = p[:4], p[4:]
	}
	payload = bytes.Clone(p[:size])
	for i := range key {
		for j := i; j < len(payload); j += 4 {
			payload[j] ^= key[i]
		}
	}
	return first, payload, masked, p[size:]
}

func TestFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, size := range frameSizes {
		for _, masked := range []bool{false, true} {
			payload := randomBytes(r, size)
			original := bytes.Clone(payload)
			check := func(how string, frame []byte) {
				t.Helper()
				first, got, isMasked, rest := parseFrame(t, frame)
				if first != finBit|opBinary || isMasked != masked || len(rest) > 0 || !bytes.Equal(got, original) {
					t.Errorf("%s of %d bytes, masked %t: first byte %#x, masked %t, %d bytes after it, payload equal: %t",
						how, size, masked, first, isMasked, len(rest), bytes.Equal(got, original))
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
			check("frameInPlace", frameInPlace(append(make([]byte, maxHeader), payload...), finBit|opBinary, masked))
		}
	}
}

func TestFrameInPlaceCopiesNothing(t *testing.T) {
	p := make([]byte, maxHeader+100)
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

// A scanner that is fed in whatever pieces stands between two frames exactly
// where one ends, and stops there.
func TestFrameScanner(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var stream []byte
	edges := map[int]bool{0: true}
	for range 300 {
		size := frameSizes[r.IntN(len(frameSizes)-3)]
		if r.IntN(30) == 0 {
			size = frameSizes[len(frameSizes)-1-r.IntN(3)]
		}
		stream = appendFrame(stream, byte(r.Uint32()), randomBytes(r, size), r.IntN(2) == 0)
		edges[len(stream)] = true
	}
	for name, piece := range map[string]func() int{
		"byte by byte": func() int { return 1 },
		"small pieces": func() int { return r.IntN(16) },
		"large pieces": func() int { return r.IntN(100_000) },
		"all at once":  func() int { return len(stream) },
	} {
		var s frameScanner
		for at := 0; at < len(stream); {
			n := min(piece(), len(stream)-at)
			done, err := s.advance(stream[at : at+n])
			if err != nil {
				t.Fatalf("%s: at byte %d of %d: %v", name, at+done, len(stream), err)
			}
			for i := range max(0, done-1) {
				if edges[at+1+i] {
					t.Fatalf("%s: it went over the end of a frame at byte %d of %d", name, at+1+i, len(stream))
				}
			}
			if at += done; done < n && !edges[at] || s.between() != edges[at] {
				t.Fatalf("%s: at byte %d of %d between() is %t", name, at, len(stream), s.between())
			}
		}
	}
}

// What breaks a rule is not passed on, nor is anything behind it, in whatever
// pieces it comes.
func TestFrameScannerStops(t *testing.T) {
	before := appendFrame(nil, finBit|opText, []byte("before"), false)
	for _, test := range []struct {
		name       string
		fromServer bool
		frame      []byte
		passed     int // bytes of the frame that pass
		want       error
	}{
		{"masked, from a server", true, appendFrame(nil, finBit|opText, []byte("x"), true), 1, errMaskedFrame},
		{"a masked ping, from a server", true, appendFrame(nil, finBit|opPing, nil, true), 1, errMaskedFrame},
		{"masked, from a client", false, appendFrame(nil, finBit|opText, []byte("x"), true), 7, nil},
		{"125 in two bytes", true, append([]byte{finBit | opText, 126, 0, 125}, make([]byte, 125)...), 3, errLongLength},
		{"126 in two bytes", true, append([]byte{finBit | opText, 126, 0, 126}, make([]byte, 126)...), 130, nil},
		{"0 in eight bytes", true, []byte{finBit | opBinary, 127, 0, 0, 0, 0, 0, 0, 0, 0}, 9, errLongLength},
		{"65535 in eight bytes", false, []byte{finBit | opBinary, maskBit | 127, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4}, 9, errLongLength},
		{"65536 in eight bytes", false, []byte{finBit | opBinary, maskBit | 127, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, 14, nil},
	} {
		stream := slices.Concat(before, test.frame)
		for piece := 1; piece <= len(stream); piece++ {
			s, passed := frameScanner{fromServer: test.fromServer}, 0
			var err error
			for passed < len(stream) && err == nil {
				var n int
				n, err = s.advance(stream[passed:min(passed+piece, len(stream))])
				passed += n
			}
			if passed != len(before)+test.passed || err != test.want {
				t.Fatalf("%s, in pieces of %d: %d bytes pass, %v; want %d, %v", test.name, piece, passed-len(before), err, test.passed, test.want)
			}
			if err == nil {
				continue
			}
			if n, again := s.advance(stream[passed:]); n != 0 || again != err {
				t.Errorf("%s: then %d bytes pass, %v", test.name, n, again)
			}
		}
	}
}

// A length that no memory could hold is only counted.
func TestFrameScannerOfHugeFrame(t *testing.T) {
	var s frameScanner
	s.advance([]byte{finBit | opBinary, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	s.advance(make([]byte, 1<<20))
	if s.between() {
		t.Error("the frame has ended")
	}
	if want := uint64(1<<64 - 1 - 1<<20); s.payload != want {
		t.Errorf("%d bytes are to come, want %d", s.payload, want)
	}
}
