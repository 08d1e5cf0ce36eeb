package wire

import (
	"bytes"
	"compress/flate"
	"sync"

	"github.com/coder/websocket"
)

// Messages may be compressed (permessage-deflate, RFC 7692), if the handshake has
// agreed on it (negotiate.go). Each is compressed by itself, without context
// takeover: to remember the messages before it takes 1.2 MB a connection.

// minDeflate is from how many bytes on a message is compressed. Smaller ones
// lose a third at best, and cost as much as many that are sent as they are.
const minDeflate = 512

// deflateTail ends what a flush writes, and is left out (RFC 7692, section
// 7.2.1).
var deflateTail = []byte{0, 0, 0xff, 0xff}

// compressionMode asks the library to negotiate compression.
func compressionMode(on bool) websocket.CompressionMode {
	if on {
		return websocket.CompressionNoContextTakeover
	}
	return websocket.CompressionDisabled
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
	if cap(d.out) > WideBuffer {
		d.out = nil
	}
	deflaters.Put(d)
}
