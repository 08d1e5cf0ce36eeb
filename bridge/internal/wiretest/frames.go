package wiretest

import (
	"bytes"
	"encoding/binary"
	"strings"
)

const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA

	finBit  = 0x80
	maskBit = 0x80
)

// AppendFrame appends a frame, whose masking key is of no interest.
func AppendFrame(dst []byte, first byte, payload []byte, masked bool) []byte {
	var mask byte
	if masked {
		mask = maskBit
	}
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, first, mask|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, first, mask|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, first, mask|127), uint64(n))
	}
	if !masked {
		return append(dst, payload...)
	}
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d} // of the example in section 5.7
	dst = append(dst, key[:]...)
	for i, b := range payload {
		dst = append(dst, b^key[i%4])
	}
	return dst
}

// Limit is how long the messages of Streams may be.
const Limit = 300

// Streams are what a peer may send, good and bad, in parts.
func Streams(masked bool) [][][]byte {
	frame := func(first byte, s string) []byte { return AppendFrame(nil, first, []byte(s), masked) }
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
		{text(strings.Repeat("x", Limit))}, {text(strings.Repeat("x", Limit+1)), text("y")},
		{frame(opBinary, strings.Repeat("x", Limit)), frame(finBit, "x")},
		{[]byte{finBit | opText, mask | 127, 64, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5}},
		{[]byte{finBit | opText, mask | 127, 255, 0, 0, 0, 0, 0, 0, 0}},
		{[]byte{finBit | opText, mask | 126, 0, 1, 0, 0, 0, 0, 'x'}}, // not the shortest length
		{AppendFrame(nil, finBit|opText, []byte("x"), !masked)},
		{text("x"), frame(finBit|0x40|opText, "x")}, {frame(finBit|0x3, "x")}, {frame(finBit|0xB, "x")},
		{frame(opPing, "x")}, {frame(finBit|opPing, strings.Repeat("x", 126))}, {bytes.Repeat(ping("ping"), 2000)},
		{frame(finBit, "x")}, {frame(opText, "a"), frame(finBit|opText, "b")},
		{closing(1005, "")}, {closing(999, "")}, {closing(1000, "\xff")}, {frame(finBit|opClose, "")}, {frame(finBit|opClose, "x")},
		{closing(1000, strings.Repeat("x", 123)), text("more")}, {closing(1000, strings.Repeat("x", 124))},
		{frame(finBit|opPong, ""), frame(finBit|opPong, "7"), frame(finBit|opPong, "12"), frame(finBit|opPong, "x")},
		{[]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")},
	}
}
