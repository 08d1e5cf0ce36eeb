package wire

import "sync"

// Buffers are pooled and borrowed only while there is something in them: most
// connections are idle most of the time, and what they hold then is what a
// server's memory is made of.
const (
	SmallBuffer = 2 << 10
	LargeBuffer = 80 << 10  // the 64 KiB that a pipe holds (pipe(7)), and the headers of its lines
	WideBuffer  = 272 << 10 // the same for a pipe that was widened
)

var (
	largeBuffers = sync.Pool{New: func() any { return new([LargeBuffer]byte) }}
	wideBuffers  = sync.Pool{New: func() any { return new([WideBuffer]byte) }}
)

// GetLarge returns an empty buffer of LargeBuffer bytes.
func GetLarge() []byte { return largeBuffers.Get().(*[LargeBuffer]byte)[:0] }

// GetWide returns an empty buffer of WideBuffer bytes.
func GetWide() []byte { return wideBuffers.Get().(*[WideBuffer]byte)[:0] }

// PutBuffer takes back a buffer that GetLarge or GetWide returned. One that has
// grown since is left to the garbage collector.
func PutBuffer(b []byte) {
	switch cap(b) {
	case LargeBuffer:
		largeBuffers.Put((*[LargeBuffer]byte)(b[:LargeBuffer]))
	case WideBuffer:
		wideBuffers.Put((*[WideBuffer]byte)(b[:WideBuffer]))
	}
}
