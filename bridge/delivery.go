package bridge

import (
	"cmp"
	"sync"
	"sync/atomic"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// An outlet takes batches of whole frames to the client.
type outlet interface {
	Send(*wire.Batch) error
}

// A source is what a stream reads, like process.Output: ReadTo reads once into
// what take lends, and while there is nothing, drop gives it back.
type source interface {
	ReadTo(take func() []byte, drop func()) (int, error)
}

// A delivery is the way of a program's output to the client. What one read
// brings leaves in one write: nothing waits for more while there is something to
// send.
type delivery struct {
	codec codec
	out   outlet

	mu    sync.Mutex // held by the stream whose turn it is
	batch *wire.Batch
	wide  atomic.Bool // output comes from a pipe that holds more than most
}

// run delivers what a stream brings until there is no more, or nobody who takes
// it. It returns why: the error of the stream, io.EOF for instance, or that of
// the outlet or the codec. It and what it calls have small frames, so that the
// stack of a session's output stays at 2 KiB (TestMemoryOfAnIdleSession).
func (d *delivery) run(s *stream) (readErr, err error) {
	for readErr == nil && err == nil {
		readErr = s.read(d)
		err = d.cut(s, readErr != nil)
	}
	if err != nil {
		s.readOut(d, readErr)
		readErr = nil
	}
	s.keep(nil)
	s.drop()
	return readErr, err
}

// runBoth delivers two streams until both have ended: a program that has closed
// one of them may still use the other.
func (d *delivery) runBoth(stdout, stderr *stream) (readErr, err error) {
	var wg sync.WaitGroup
	var stderrErr error
	wg.Go(func() { _, stderrErr = d.run(stderr) })
	readErr, err = d.run(stdout)
	wg.Wait()
	return readErr, cmp.Or(err, stderrErr)
}

// cut sends the messages that a stream has brought, while the other one waits.
func (d *delivery) cut(s *stream, atEOF bool) error {
	d.mu.Lock()
	err := d.codec.cut(d, s, atEOF)
	if _, broken := err.(Ending); err == nil || broken { // what came before is whole
		err = cmp.Or(err, d.flush())
	}
	d.batch.End()
	d.mu.Unlock()
	return err
}

// add adds a frame to the batch, which is sent before when it is full.
func (d *delivery) add(kind wire.Kind, payload []byte, last bool) error {
	d.batch.Begin(d.buffer)
	if !d.batch.Fits(len(payload)) {
		if err := d.flush(); err != nil {
			return err
		}
	}
	d.batch.Append(kind, payload, last)
	return nil
}

func (d *delivery) flush() error {
	if d.batch.IsEmpty() {
		return nil
	}
	return d.out.Send(d.batch)
}

// buffer returns an empty buffer for all that a read may bring.
func (d *delivery) buffer() []byte {
	if d.wide.Load() {
		return wire.GetWide()
	}
	return wire.GetLarge()
}

// A stream is one of a program's output streams, as far as it has been read. Its
// buffer is borrowed while there is something in it.
type stream struct {
	name     string
	from     source
	tap      func([]byte) // is told what was read; may be nil
	buf      []byte       // room for a header, and then what was read and not yet cut
	searched int          // bytes of data that hold no end of a line

	get      func() []byte // lends an empty buffer
	takeOnce func() []byte // take and drop, made once
	dropOnce func()
}

// plainPipe is what a pipe holds that was not widened (pipe(7)).
const plainPipe = 64 << 10

// read reads once, behind what there is.
func (s *stream) read(d *delivery) error {
	if s.get == nil {
		s.get, s.takeOnce, s.dropOnce = d.buffer, s.take, s.drop
	}
	n, err := s.from.ReadTo(s.takeOnce, s.dropOnce)
	if n > 0 {
		s.buf = s.buf[:len(s.buf)+n]
		if s.tap != nil {
			s.tap(s.buf[len(s.buf)-n:])
		}
	}
	if n > plainPipe {
		d.wide.Store(true)
	}
	return err
}

// readOut reads on what nobody gets any more, as long as somebody taps it.
func (s *stream) readOut(d *delivery, err error) {
	for s.keep(nil); s.tap != nil && err == nil; s.keep(nil) {
		err = s.read(d)
	}
}

// data is what was read and not yet cut.
func (s *stream) data() []byte {
	if len(s.buf) == 0 {
		return nil
	}
	return s.buf[wire.HeaderRoom:]
}

// keep makes rest, which is the end of data and holds no end of a line, all of it.
func (s *stream) keep(rest []byte) {
	s.searched = len(rest)
	if len(s.buf) > 0 {
		s.buf = s.buf[:wire.HeaderRoom+copy(s.buf[wire.HeaderRoom:], rest)]
	}
}

// take returns room to read into, behind data. It grows when data fills it, up
// to the longest frame.
func (s *stream) take() []byte {
	switch {
	case s.buf == nil:
		s.buf = s.get()[:wire.HeaderRoom]
	case cap(s.buf)-len(s.buf) < wire.SmallBuffer:
		grown := make([]byte, len(s.buf), min(4*cap(s.buf), maxFrame+wire.LargeBuffer))
		copy(grown, s.buf)
		wire.PutBuffer(s.buf)
		s.buf = grown
	}
	return s.buf[len(s.buf):cap(s.buf)]
}

// drop gives the room back, unless there is data in it.
func (s *stream) drop() {
	if len(s.data()) == 0 {
		wire.PutBuffer(s.buf)
		s.buf = nil
	}
}
