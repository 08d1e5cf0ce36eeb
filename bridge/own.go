package bridge

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// ownStreams are a Client's own input and output in the place of a program's.
// Either may block for good, and is then left to itself.
type ownStreams struct {
	listening

	codec  codec
	more   moreStreams // the codec, if that has more streams
	input  io.Reader
	settle func(context.Context) // waits until the server has everything; nil: it has what was sent
	in     inbox
	feed   feed
	feeds  []*feed // and those of the other streams
	failed atomic.Pointer[localError]

	writers sync.WaitGroup // the feeder, for which nobody waits
}

// newOwnStreams attaches an input and an output. end is called when the output
// takes no more.
func newOwnStreams(input io.Reader, output sink, linger time.Duration, f Framing, limit int, end func(error)) *ownStreams {
	o := &ownStreams{codec: codecOf(f), input: input}
	o.linger, o.news = linger, make(chan struct{}, 1)
	o.in = inbox{codec: o.codec, give: o.give, act: func(action) {}, arrived: func(bool, bool) { o.hearsNow() }}
	o.feeds = []*feed{&o.feed}
	if more, ok := o.codec.(moreStreams); ok {
		o.more, o.feeds = more, append(o.feeds, more.besides())
		o.in.act = o.act
	}
	o.feed.init(output, limit, &o.writers, func(err error) {
		failure := &localError{"write output", err}
		o.failed.Store(failure)
		end(failure)
	})
	return o
}

func (o *ownStreams) inbox() *inbox { return &o.in }
func (o *ownStreams) lastWord()     {}
func (o *ownStreams) release()      {}

func (o *ownStreams) hurry(error) {
	for _, f := range o.feeds {
		f.waitNoMore()
	}
}

func (o *ownStreams) closeInput() {
	for _, f := range o.feeds {
		f.finish()
	}
}

// act takes an action, none of which asks for a program here.
func (o *ownStreams) act(do action) {
	do(nil)
	o.isAnswered()
}

func (o *ownStreams) give(batch []byte) {
	o.holdOn()
	o.feed.write(batch)
	o.hearsNow()
	o.isAnswered()
}

func (o *ownStreams) pump(ctx context.Context, out outlet, batch *wire.Batch) error {
	from := &ownSource{r: o.input, ctx: ctx}
	defer from.stop()
	d := &delivery{codec: o.codec, out: expecting{out, &o.listening}, batch: batch}
	switch readErr, err := o.deliver(ctx, d, &stream{name: "stdin", from: from}); {
	case err != nil:
		return nil // the outlet has failed: the cause comes from the socket
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case readErr != io.EOF:
		return &localError{"read input", readErr}
	}
	if o.settle != nil {
		o.settle(ctx)
	}
	return o.listenOn(ctx)
}

// deliver delivers the input, and as long as it lasts what a codec has beside that.
func (o *ownStreams) deliver(ctx context.Context, d *delivery, input *stream) (readErr, err error) {
	if o.more == nil {
		return d.run(input)
	}
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	if from := o.more.beside(ctx); from != nil {
		wg.Go(func() { _, _ = d.run(&stream{name: sizesName, from: from}) })
	}
	readErr, err = d.run(input)
	stop()
	wg.Wait()
	if err == nil && readErr == io.EOF {
		err = cmp.Or(d.add(wire.Binary, o.more.inputEnded(), true), d.flush())
		d.batch.End()
	}
	return readErr, err
}

func (o *ownStreams) wait(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// end waits until what came is written, for a while when the session is asked to
// end.
func (o *ownStreams) end(_ error, draining, _ context.Context) (none process.State) {
	enough, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer context.AfterFunc(draining, func() { time.AfterFunc(drainLimit, cancel) })()
	for _, f := range o.feeds {
		select {
		case <-f.done:
		case <-enough.Done():
		}
	}
	return none
}

// failure is what has failed of the input and output of a session that ended for
// a cause, also when it did so after the server had closed.
func (o *ownStreams) failure(cause error) error {
	if err, ok := errors.AsType[*localError](cause); ok {
		return err
	}
	if err := o.failed.Load(); err != nil {
		return err
	}
	if o.more != nil {
		return o.more.failure()
	}
	return nil
}

// An ownSource is an input whose reads cannot be ended: they are made by a
// goroutine that is left to itself when the source stops.
type ownSource struct {
	r       io.Reader
	ctx     context.Context
	buf     []byte
	started bool
	want    chan struct{} // asks for a read
	got     chan ownRead
	rest    []byte // of what the last read brought
	err     error  // that came with it
}

type ownRead struct {
	n   int
	err error
}

func (o *ownSource) ReadTo(take func() []byte, drop func()) (int, error) {
	if !o.started {
		o.started, o.buf = true, make([]byte, plainPipe)
		o.want, o.got = make(chan struct{}), make(chan ownRead, 1)
		go o.reads()
	}
	for len(o.rest) == 0 && o.err == nil {
		drop()
		select {
		case o.want <- struct{}{}:
		case <-o.ctx.Done():
			return 0, context.Cause(o.ctx)
		}
		select {
		case read := <-o.got:
			o.rest, o.err = o.buf[:read.n], read.err
		case <-o.ctx.Done():
			return 0, context.Cause(o.ctx)
		}
	}
	n := copy(take(), o.rest)
	if o.rest = o.rest[n:]; len(o.rest) > 0 {
		return n, nil
	}
	return n, o.err
}

// reads makes the reads that are asked for.
func (o *ownSource) reads() {
	for range o.want {
		n, err := o.r.Read(o.buf)
		o.got <- ownRead{n, err}
	}
}

// stop ends the goroutine, at once or after the read that it is in.
func (o *ownSource) stop() {
	if o.started {
		close(o.want)
	}
}
