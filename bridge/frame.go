package bridge

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
)

// Opcodes and bits of a frame's header (RFC 6455, section 5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA

	finBit  = 0x80
	maskBit = 0x80

	maxHeader = 14 // bytes of the longest header, its masking key included
)

// appendHeader appends a frame's header: its first byte (opcode and FIN), the
// payload's size, and the masking key, if there is one.
func appendHeader(dst []byte, first byte, size int, key *[4]byte) []byte {
	var mask byte
	if key != nil {
		mask = maskBit
	}
	switch {
	case size < 126:
		dst = append(dst, first, mask|byte(size))
	case size < 1<<16:
		dst = append(dst, first, mask|126, byte(size>>8), byte(size))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, first, mask|127), uint64(size))
	}
	if key != nil {
		dst = append(dst, key[:]...)
	}
	return dst
}

// appendFrame appends a whole frame. A client's is masked, with a key that
// nobody can foresee (RFC 6455, section 5.3).
func appendFrame(dst []byte, first byte, payload []byte, masked bool) []byte {
	if !masked {
		return append(appendHeader(dst, first, len(payload), nil), payload...)
	}
	key := newKey()
	dst = appendHeader(dst, first, len(payload), &key)
	start := len(dst)
	dst = append(dst, payload...)
	applyMask(dst[start:], key)
	return dst
}

// closeFrame makes a close frame, as long as it may be.
func closeFrame(c Close, masked bool) []byte {
	payload := append([]byte{byte(c.Code >> 8), byte(c.Code)}, shortened(c.Reason)...)
	return appendFrame(nil, finBit|opClose, payload, masked)
}

// closeReason is what a close frame has behind its code.
func closeReason(frame []byte) []byte {
	payload := frame[2:]
	if frame[1]&maskBit != 0 {
		payload = bytes.Clone(payload[4:])
		applyMask(payload, [4]byte(frame[2:6]))
	}
	return payload[min(2, len(payload)):]
}

// frameInPlace makes a frame of the payload that begins at p[maxHeader:]; the
// header is put before it.
func frameInPlace(p []byte, first byte, masked bool) []byte {
	var key *[4]byte
	if masked {
		k := newKey()
		key = &k
		applyMask(p[maxHeader:], k)
	}
	var h [maxHeader]byte
	header := appendHeader(h[:0], first, len(p)-maxHeader, key)
	start := maxHeader - len(header)
	copy(p[start:], header)
	return p[start:]
}

// newKey returns a masking key from the runtime's ChaCha8 generator.
func newKey() (key [4]byte) {
	binary.LittleEndian.PutUint32(key[:], rand.Uint32())
	return key
}

func applyMask(p []byte, key [4]byte) { applyMaskTo(p, p, key) }

// applyMaskTo is applyMask from src to dst, which is as long. It reports
// whether dst is ASCII then.
func applyMaskTo(dst, src []byte, key [4]byte) (ascii bool) {
	wide := uint64(binary.LittleEndian.Uint32(key[:]))
	wide |= wide << 32
	var all uint64
	for len(src) >= 16 && len(dst) >= 16 {
		a := binary.LittleEndian.Uint64(src) ^ wide
		b := binary.LittleEndian.Uint64(src[8:]) ^ wide
		binary.LittleEndian.PutUint64(dst, a)
		binary.LittleEndian.PutUint64(dst[8:], b)
		all |= a | b
		src, dst = src[16:], dst[16:]
	}
	for i, b := range src {
		b ^= key[i&3]
		dst[i] = b
		all |= uint64(b)
	}
	return all&0x8080808080808080 == 0
}

// A frameScanner follows a stream of frames and knows where it stands
// between two of them.
type frameScanner struct {
	fromServer bool // the frames are a server's
	head       [maxHeader]byte
	n          int    // bytes of head that are there
	payload    uint64 // bytes of the payload that are still to come
}

// What the library lets pass (RFC 6455, sections 5.1 and 5.2).
var (
	errMaskedFrame = errors.New("received masked frame from server")
	errLongLength  = errors.New("received payload length in more bytes than it needs")
)

// between reports whether the stream stands at the edge of a frame.
func (s *frameScanner) between() bool { return s.n == 0 && s.payload == 0 }

// inControl reports whether it stands in the payload of a control frame.
func (s *frameScanner) inControl() bool { return s.payload > 0 && s.head[0]&0x8 != 0 }

// advance goes over p, but not further than to the end of a frame, and returns
// how far that was. At a header that breaks a rule it stops before the byte
// that does, and so does every further call.
func (s *frameScanner) advance(p []byte) (done int, err error) {
	for done < len(p) {
		if s.payload > 0 {
			n := min(s.payload, uint64(len(p)-done))
			s.payload -= n
			done += int(n)
		} else if err := s.header(p[done]); err != nil {
			return done, err
		} else {
			done++
		}
		if s.between() {
			break
		}
	}
	return done, nil
}

// header takes the next byte of a header, if it may be the next.
func (s *frameScanner) header(b byte) error {
	s.head[s.n] = b
	n := s.n + 1
	if n < 2 {
		s.n = n
		return nil
	}
	masked := s.head[1]&maskBit != 0
	if masked && s.fromServer {
		return errMaskedFrame
	}
	size, payload, least := 2, uint64(s.head[1]&0x7f), uint64(0)
	switch payload {
	case 126:
		size, payload, least = 4, uint64(binary.BigEndian.Uint16(s.head[2:])), 126
	case 127:
		size, payload, least = 10, binary.BigEndian.Uint64(s.head[2:]), 1<<16
	}
	if n >= size && payload < least {
		return errLongLength
	}
	if masked {
		size += 4
	}
	if s.n = n; n == size {
		s.n, s.payload = 0, payload
	}
	return nil
}
