package bridge

import (
	"bytes"
	"compress/flate"
	"net/http"
	"sync"

	"github.com/coder/websocket"
)

// Messages may be compressed (permessage-deflate, RFC 7692): the library
// negotiates it. Each is compressed by itself (no_context_takeover), because
// what remembers the messages before it would be 1.2 MB a connection.

// rsv1Bit says in the first frame of a message that it is compressed (RFC
// 7692, section 6).
const rsv1Bit = 0x40

// minDeflate is from how many bytes on a message is compressed. Smaller ones
// lose a third at best, and cost as much as many that are sent as they are.
const minDeflate = 512

// deflateTail ends what a flush writes, and is left out (RFC 7692, section
// 7.2.1).
var deflateTail = []byte{0, 0, 0xff, 0xff}

func compressionMode(on bool) websocket.CompressionMode {
	if on {
		return websocket.CompressionNoContextTakeover
	}
	return websocket.CompressionDisabled
}

// compresses takes note of whether compression, if it was asked for, is in the
// answer to the handshake. The library knows no other extension.
func (s *session) compresses(answer http.Header) {
	s.compress = s.compress && answer.Get("Sec-Websocket-Extensions") != ""
	s.conn.compress = s.compress
}

// A deflater compresses one message after the other. It weighs more than a
// megabyte: they are pooled, and borrowed for a message.
type deflater struct {
	w   *flate.Writer
	out []byte
}

var deflaters = sync.Pool{New: func() any {
	d := new(deflater)
	d.w, _ = flate.NewWriter(d, flate.BestSpeed) // fails on a bad level only
	return d
}}

func (d *deflater) Write(p []byte) (int, error) {
	d.out = append(d.out, p...)
	return len(p), nil
}

// deflate compresses the next piece of a message. What it returns is valid
// until the next call.
func (d *deflater) deflate(p []byte, last bool) []byte {
	d.out = d.out[:0]
	_, _ = d.w.Write(p) // Write above has no errors
	_ = d.w.Flush()     // also within a message: what was said shall arrive
	if last {
		return bytes.TrimSuffix(d.out, deflateTail)
	}
	return d.out
}

// put gives the deflater back, with nothing of the message left in it.
func (d *deflater) put() {
	d.w.Reset(d)
	if cap(d.out) > wideBuffer {
		d.out = nil
	}
	deflaters.Put(d)
}

// A deflation makes the frames of messages that may be compressed, in order.
type deflation struct {
	on bool
	d  *deflater // of the message that has begun; nil: it is not compressed
}

// appendFrame is appendFrame of a data frame, whose payload it may compress.
func (c *deflation) appendFrame(dst []byte, first byte, payload []byte, masked bool) []byte {
	begins, last := first&0xf != opContinuation, first&finBit != 0
	if begins && c.on && (len(payload) >= minDeflate || !last) {
		c.d = deflaters.Get().(*deflater)
		first |= rsv1Bit
	}
	if c.d == nil {
		return appendFrame(dst, first, payload, masked)
	}
	compressed := c.d.deflate(payload, last)
	if begins && last && len(compressed) >= len(payload) {
		first, compressed = first&^rsv1Bit, payload // what was compressed before, for instance
	}
	dst = appendFrame(dst, first, compressed, masked)
	if last {
		c.d.put()
		c.d = nil
	}
	return dst
}
