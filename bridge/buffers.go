package bridge

import "sync"

// Buffers are small while little is under way and pooled when they are not:
// most connections are idle most of the time, and what they hold then is what
// a server's memory is made of.
const (
	smallBuffer = 2 << 10
	largeBuffer = 80 << 10 // the 64 KiB that a pipe holds (pipe(7)), and the headers of its lines
)

var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

// getLarge returns an empty buffer of largeBuffer bytes.
func getLarge() []byte { return largeBuffers.Get().(*[largeBuffer]byte)[:0] }

// putLarge takes back a buffer that getLarge gave; one that has grown since
// or is of another kind is left to the garbage collector.
func putLarge(b []byte) {
	if cap(b) == largeBuffer {
		largeBuffers.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	}
}
