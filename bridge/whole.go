package bridge

import (
	"encoding/binary"
	"unicode/utf8"
)

// Nearly all messages are one frame, and reading them through the library costs
// several times what else there is to do for them. So those are taken from what
// was read before the library sees them, as long as there is nothing about them
// to judge. Everything else is left to the library, from its first byte on:
// frames of messages in several, long ones, control frames, errors.

// A wholeFrame is a data frame that is a message.
type wholeFrame struct {
	opcode  byte
	masked  bool
	key     [4]byte
	size    int    // of the frame; 0: not known yet
	length  int    // of the payload
	payload []byte // as it came; nil: the frame is not complete yet
}

// nextWhole returns the frame that p begins with, unless it is no message.
func nextWhole(p []byte) (f wholeFrame, ok bool) {
	if len(p) == 0 {
		return f, true
	}
	f.opcode = p[0] &^ finBit
	if p[0]&finBit == 0 || f.opcode != opText && f.opcode != opBinary {
		return f, false
	}
	if len(p) < 2 {
		return f, true
	}
	f.masked = p[1]&maskBit != 0
	header, payload := 2, int(p[1]&^maskBit)
	switch {
	case payload == 127:
		return f, false // 64 KiB and more
	case payload == 126 && len(p) < 4:
		return f, true
	case payload == 126:
		header, payload = 4, int(binary.BigEndian.Uint16(p[2:]))
		if payload < 126 {
			return f, false // not the shortest form: that is to be judged
		}
	}
	if f.masked {
		header += 4
	}
	f.size, f.length = header+payload, payload
	if len(p) < f.size {
		return f, true
	}
	if f.masked {
		f.key = [4]byte(p[header-4 : header])
	}
	f.payload = p[header:f.size]
	return f, true
}

// receiveWhole appends messages to the batch as long as those that come next
// are whole, or until the reader shall stop, which it reports. That the
// connection has ended it leaves to the library to find.
func (s *session) receiveWhole() (stopped bool) {
	for {
		f, ok := nextWhole(s.conn.in)
		switch {
		case !ok, f.size > 0 && (f.masked == s.conn.masked || f.length > s.maxMessageSize):
			return false
		case f.payload == nil:
			if err := s.conn.fill(); err != nil {
				return err == errStopped
			}
		case !s.appendWhole(f):
			return false
		default:
			s.conn.in = s.conn.in[f.size:]
		}
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
	s.batch = s.batch[:s.complete+len(f.payload)]
	message := s.batch[s.complete:]
	ascii := applyMaskTo(message, f.payload, f.key)
	if f.opcode == opText && !ascii && !utf8.Valid(message) {
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
