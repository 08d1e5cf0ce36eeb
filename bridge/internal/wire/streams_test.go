package wire

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// sentLimit is how long the messages of sentStreams may be.
const sentLimit = 300

// sentStreams are what a peer may send, good and bad, in parts.
func sentStreams(masked bool) [][][]byte {
	frame := func(first byte, s string) []byte { return appendFrame(nil, first, []byte(s), masked) }
	text := func(s string) []byte { return frame(finBit|opText, s) }
	ping := func(s string) []byte { return frame(finBit|opPing, s) }
	closing := func(code int, reason string) []byte {
		return frame(finBit|opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
	}
	var mask byte
	if masked {
		mask = maskBit
	}
	return [][][]byte{
		{},
		{text("one"), text(""), text("grüße 世界 🌍"), closing(1000, "bye")},
		{frame(opText, "a"), ping("p"), frame(opContinuation, "b"), frame(finBit|opContinuation, "c"), text("d")},
		{frame(opText, "a")}, // the end comes between two frames of a message
		{frame(opBinary, "\xff"), frame(finBit, "\x80"), frame(finBit|opBinary, "")},
		{text("x"), text("yyyyyyyy")[:6]},
		{text("x"), text("y")[:1]},
		{text("\xff")}, {text("\xe4\xb8")}, {frame(opText, "\xe4"), frame(finBit, "\xb8\x96")},
		{text(strings.Repeat("x", sentLimit))}, {text(strings.Repeat("x", sentLimit+1)), text("y")},
		{frame(opBinary, strings.Repeat("x", sentLimit)), frame(finBit, "x")},
		{[]byte{finBit | opText, mask | 127, 64, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5}},
		{[]byte{finBit | opText, mask | 127, 255, 0, 0, 0, 0, 0, 0, 0}},
		{[]byte{finBit | opText, mask | 126, 0, 1, 0, 0, 0, 0, 'x'}}, // not the shortest length
		{appendFrame(nil, finBit|opText, []byte("x"), !masked)},
		{text("x"), frame(finBit|0x40|opText, "x")}, {frame(finBit|0x3, "x")}, {frame(finBit|0xB, "x")},
		{frame(opPing, "x")}, {frame(finBit|opPing, strings.Repeat("x", 126))}, {bytes.Repeat(ping("ping"), 2000)},
		{frame(finBit, "x")}, {frame(opText, "a"), frame(finBit|opText, "b")},
		{closing(1005, "")}, {closing(999, "")}, {closing(1000, "\xff")}, {frame(finBit|opClose, "")}, {frame(finBit|opClose, "x")},
		{closing(1000, strings.Repeat("x", 123)), text("more")}, {closing(1000, strings.Repeat("x", 124))},
		{frame(finBit|opPong, ""), frame(finBit|opPong, "12"), frame(finBit|opPong, "x")},
		{[]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")},
	}
}
