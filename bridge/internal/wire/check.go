package wire

import "unicode/utf8"

// A frameChecker follows the frames that a peer sends and knows what may come
// next (RFC 6455, sections 5.1 to 5.5). The library judges most of this too,
// but what it says of it is not for a client's eyes, and some it lets pass.
type frameChecker struct {
	fromServer bool // the peer is a server, whose frames are not masked
	compress   bool // messages may be compressed
	open       bool // a message has begun and not ended
}

// check returns what is wrong with a frame that begins with p, as soon as it
// can be told, or nil.
func (c *frameChecker) check(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	first := p[0]
	opcode := first & 0xf
	isData := opcode == opText || opcode == opBinary
	isControl := opcode == opClose || opcode == opPing || opcode == opPong
	switch {
	case first&rsvBits != 0 && !(first&rsvBits == rsv1Bit && c.compress && isData):
		return violation("reserved bits are set")
	case !isData && !isControl && opcode != opContinuation:
		return violation("unknown opcode")
	case isControl && first&finBit == 0:
		return violation("control frame in fragments")
	case opcode == opContinuation && !c.open:
		return violation("continuation of no message")
	case isData && c.open:
		return violation("new message within another")
	case len(p) == 1:
		return nil
	}
	masked, length := p[1]&maskBit != 0, p[1]&^maskBit
	switch {
	case masked && c.fromServer:
		return violation("masked frame from a server")
	case !masked && !c.fromServer:
		return violation("frame is not masked")
	case isControl && length > maxControl:
		return violation("control frame over 125 bytes")
	case length == 127 && len(p) >= 3 && p[2]&0x80 != 0:
		return violation("frame too long")
	case length == 126 && len(p) >= 4 && p[2] == 0 && p[3] < 126,
		length == 127 && len(p) >= 8 && [6]byte(p[2:]) == [6]byte{}: // it is less than 1<<16
		return violation("length in more bytes than it needs")
	}
	return nil
}

// next takes note of a frame that has been checked.
func (c *frameChecker) next(h header) {
	if !h.isControl() {
		c.open = !h.fin()
	}
}

func violation(reason string) Ending { return Ending{codeProtocolError, reason} }

// checkClose returns what is wrong with the payload of a close frame (RFC 6455,
// sections 5.5.1 and 7.4), or nil.
func checkClose(payload []byte) error {
	if len(payload) == 0 {
		return nil
	}
	if len(payload) == 1 {
		return violation("close frame with half a code")
	}
	code := int(payload[0])<<8 | int(payload[1])
	switch {
	case code < 1000, code == 1004, code == codeNoStatus, code == codeAbnormal, code > 1014 && code < 3000, code > 4999:
		return violation("close frame with a code that may not be sent")
	case !utf8.Valid(payload[2:]):
		return reasonNotUTF8
	}
	return nil
}
