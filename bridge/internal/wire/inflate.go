package wire

import (
	"bufio"
	"compress/flate"
	"errors"
	"io"
	"sync"
)

// The library would inflate messages too, but it takes one that is cut off
// for a whole one, and loses its place behind a last block (RFC 7692, section
// 7.2.3.4), as some clients send it in each message. So lower clears
// RSV1 before the library sees it.

// inflateTail is what the sender has left out (deflateTail), and a block that
// is the last. Whether that is found where it should be tells a message that
// is whole from one that is not.
const inflateTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// An inflater reads one compressed message after the other. They are pooled,
// and borrowed for a message.
type inflater struct {
	payload io.Reader // as it came
	left    string    // of inflateTail
	failed  error     // why the payload could not be read
	in      *bufio.Reader
	flate   io.ReadCloser // a flate.Resetter, too
}

var inflaters = sync.Pool{New: func() any {
	f := new(inflater)
	f.in = bufio.NewReaderSize(tailed{f}, SmallBuffer)
	f.flate = flate.NewReader(f.in)
	return f
}}

// newInflater borrows an inflater for a message.
func newInflater(payload io.Reader) *inflater {
	f := inflaters.Get().(*inflater)
	f.payload, f.left, f.failed = payload, inflateTail, nil
	f.in.Reset(tailed{f})
	f.restart()
	return f
}

// restart begins a stream of blocks where another ended, or at the beginning.
func (f *inflater) restart() { _ = f.flate.(flate.Resetter).Reset(f.in, nil) } // has no errors

func (f *inflater) put() {
	f.payload = nil
	inflaters.Put(f)
}

// Read reads the message as it was.
func (f *inflater) Read(p []byte) (int, error) {
	for {
		n, err := f.flate.Read(p)
		switch {
		case n > 0 || err == nil:
			return n, nil // an error comes again
		case f.failed != nil:
			return 0, f.failed
		case !errors.Is(err, io.EOF):
			return 0, corrupt
		}
		// That was a last block: ours, or one of the sender's.
		rest, _ := f.in.Peek(len(inflateTail) + 1)
		if f.failed == nil && len(rest) <= len(inflateTail) {
			return 0, io.EOF
		}
		f.restart()
	}
}

// tailed is an inflater's payload and inflateTail behind it.
type tailed struct{ f *inflater }

func (t tailed) Read(p []byte) (int, error) {
	f := t.f
	if f.failed != nil {
		return 0, f.failed
	}
	if f.payload != nil {
		n, err := f.payload.Read(p)
		if errors.Is(err, io.EOF) {
			f.payload, err = nil, nil
		}
		if n > 0 || err != nil {
			f.failed = err
			return n, err
		}
	}
	if f.left == "" {
		return 0, io.EOF
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}
