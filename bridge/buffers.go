package bridge

import "sync"

// Buffers are pooled and borrowed only while there is something in them: most
// connections are idle most of the time, and what they hold then is what a
// server's memory is made of.
const (
	smallBuffer = 2 << 10
	largeBuffer = 80 << 10  // the 64 KiB that a pipe holds (pipe(7)), and the headers of its lines
	wideBuffer  = 272 << 10 // the same for a pipe that was widened
)

var (
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
	wideBuffers  = sync.Pool{New: func() any { return new([wideBuffer]byte) }}
)

// getLarge returns an empty buffer of largeBuffer bytes.
func getLarge() []byte { return largeBuffers.Get().(*[largeBuffer]byte)[:0] }

// getWide returns an empty buffer of wideBuffer bytes.
func getWide() []byte { return wideBuffers.Get().(*[wideBuffer]byte)[:0] }

// putBuffer takes back a buffer that getLarge or getWide gave; one that has
// grown since is left to the garbage collector.
func putBuffer(b []byte) {
	switch cap(b) {
	case largeBuffer:
		largeBuffers.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	case wideBuffer:
		wideBuffers.Put((*[wideBuffer]byte)(b[:wideBuffer]))
	}
}
