package bridge

import (
	"encoding/binary"
	"unicode/utf8"
)

// Nearly all messages are one frame that came in one piece, and reading them
// through the library costs several times what else there is to do for them.
// So those are taken from what was read before the library sees them, as long
// as there is nothing about them to judge. Everything else is left to the
// library, from its first byte on: frames of messages in several, control
// frames, errors, and what is not complete yet.

// A wholeFrame is a data frame that is a message, complete.
type wholeFrame struct {
	opcode  byte
	masked  bool
	key     [4]byte
	payload []byte // as it came
	size    int    // of the frame
}

// nextWhole returns the frame that p begins with, if it is a whole message.
func nextWhole(p []byte) (f wholeFrame, ok bool) {
	if len(p) < 2 {
		return f, false
	}
	f.opcode = p[0] &^ finBit
	if p[0]&finBit == 0 || f.opcode != opText && f.opcode != opBinary {
		return f, false
	}
	f.masked = p[1]&maskBit != 0
	header, payload := 2, int(p[1]&^maskBit)
	switch {
	case payload == 127:
		return f, false // 64 KiB and more
	case payload == 126 && len(p) < 4:
		return f, false
	case payload == 126:
		header, payload = 4, int(binary.BigEndian.Uint16(p[2:]))
		if payload < 126 {
			return f, false // not the shortest form: that is to be judged
		}
	}
	if f.masked {
		header += 4
	}
	f.size = header + payload
	if len(p) < f.size {
		return f, false
	}
	if f.masked {
		f.key = [4]byte(p[header-4 : header])
	}
	f.payload = p[header:f.size]
	return f, true
}

// receiveWhole appends messages to the batch as long as those that come next
// are whole. It may wait for the first bytes of one. That the connection has
// ended it leaves to the library to find.
func (s *session) receiveWhole() {
	for s.conn.ready() {
		f, ok := nextWhole(s.conn.in)
		if !ok || f.masked == s.conn.masked || len(f.payload) > s.maxMessageSize {
			return
		}
		if !s.appendWhole(f) {
			return
		}
		s.conn.in = s.conn.in[f.size:]
	}
}

// appendWhole appends a message to the batch, unless it is text that is not
// UTF-8.
func (s *session) appendWhole(f wholeFrame) bool {
	if cap(s.batch)-len(s.batch) <= len(f.payload) { // with the byte that ends it
		s.passOn()
		if s.batch == nil {
			s.batch = getLarge()
		}
	}
	s.batch = append(s.batch, f.payload...)
	message := s.batch[s.complete:]
	if f.masked {
		applyMask(message, f.key)
	}
	if f.opcode == opText && !utf8.Valid(message) {
		s.batch = s.batch[:s.complete]
		return false
	}
	s.took(message)
	return true
}

// took counts a whole message at the end of the batch, and ends it.
func (s *session) took(message []byte) {
	if s.idle.limit > 0 {
		s.idle.in.Store(s.idle.readAt)
	}
	s.in.messages++
	s.in.bytes += int64(len(message))
	s.batch = s.framing.terminate(s.batch)
	s.complete = len(s.batch)
}
