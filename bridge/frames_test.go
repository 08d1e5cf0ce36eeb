package bridge

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// Frames as tests make them, so that package wire is not its own judge (RFC
// 6455, section 5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA

	finBit  = 0x80
	rsv1Bit = 0x40
	maskBit = 0x80

	maxHeader   = wire.HeaderRoom
	smallBuffer = wire.SmallBuffer
	largeBuffer = wire.LargeBuffer
	minDeflate  = 512         // bytes from which on a message is compressed
	lingerLimit = time.Second // for a peer to end the connection when there is nothing more to say
)

// What package wire finds.
var (
	errNotUTF8       = Ending{1007, "text is not UTF-8"}
	errReasonNotUTF8 = Ending{1007, "close reason is not UTF-8"}
)

// untold is how a session ends whose client did not read that.
func untold(e Ending) Ending { return Ending{1006, "connection lost before " + e.String()} }

func errTooBig(limit int) Ending { return Ending{1009, fmt.Sprintf("message over %d bytes", limit)} }

var deflateTail = []byte{0, 0, 0xff, 0xff} // RFC 7692, section 7.2.1

// randomBytes returns n bytes of any kind.
func randomBytes(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

func appendFrame(dst []byte, first byte, payload []byte, masked bool) []byte {
	return wiretest.AppendFrame(dst, first, payload, masked)
}

// closeFrame makes a close frame.
func closeFrame(e Ending, masked bool) []byte {
	payload := append(binary.BigEndian.AppendUint16(nil, uint16(e.Code)), e.Reason...)
	return appendFrame(nil, finBit|opClose, payload, masked)
}

// parseFrame takes the frame that b begins with.
func parseFrame(t testing.TB, b []byte) (first byte, payload []byte, masked bool, rest []byte) {
	t.Helper()
	if len(b) < 2 {
		t.Fatalf("half a frame: %x", b)
	}
	header, n := 2, uint64(b[1]&^maskBit)
	switch {
	case n == 126 && len(b) >= 4:
		header, n = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case n == 127 && len(b) >= 10:
		header, n = 10, binary.BigEndian.Uint64(b[2:])
	}
	masked = b[1]&maskBit != 0
	var key []byte
	if masked {
		header += 4
		key = b[header-4 : header]
	}
	if uint64(len(b)) < uint64(header)+n {
		t.Fatalf("half a frame of %d bytes: %.20x", n, b)
	}
	payload = append([]byte(nil), b[header:header+int(n)]...)
	if masked {
		for i := range payload {
			payload[i] ^= key[i%4]
		}
	}
	return b[0], payload, masked, b[header+int(n):]
}
