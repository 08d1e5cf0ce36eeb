package bridge

import (
	"context"
	"errors"
	"sync"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// A job is a program that runs: its process, its codec, its input, its output
// and its standard error.
type job struct {
	child *process.Process
	codec codec
	in    inbox
	feed  feed
	lines lineLog // of standard error
	out   delivery
	ended chan process.State // holds the end, for a codec with a last word; else nil
	place *place             // is told when the child is about to be gone, and when it is; nil: nobody
	many  bool               // it has many clients, none of whom may end its input

	wg sync.WaitGroup // feeder, stderr
}

// voices are told what a program says that is not for its client, line by line.
// Either may be nil.
type voices struct{ stderr, chatter func(line string) }

// newJob makes a job of a child. At most limit bytes wait for it to read them.
func newJob(child *process.Process, f Framing, limit int, gone func() bool, says voices) *job {
	c := codecOf(f)
	j := &job{child: child, codec: outward(c), lines: lineLog{said: says.stderr}}
	j.in = inbox{codec: c, give: j.feed.write, act: func(do action) { do(j) }}
	j.feed.init(child.Stdin, limit, &j.wg, func(error) {}) // a child may close its input
	j.feed.gone = gone
	if c, ok := j.codec.(chatterer); ok {
		c.hear(says.chatter)
	}
	if _, ok := j.codec.(lastWorder); ok {
		j.ended = make(chan process.State, 1)
	}
	if !j.codec.withStderr() {
		child.Stderr.WhenReadable(func() { j.wg.Go(j.stderr) })
	}
	return j
}

func (j *job) inbox() *inbox { return &j.in }
func (j *job) hurry(error)   { j.feed.waitNoMore() }
func (j *job) closeInput()   { j.feed.finish() }

// endInput ends the input because the client has none left. A terminal stays: there the
// character does it that a user would type (VEOF of termios(3)).
func (j *job) endInput() {
	switch {
	case j.many:
	case j.child.HasTerminal():
		j.feed.write([]byte{4})
	default:
		j.feed.finish()
	}
}

// resize sets the size of the program's terminal, if it has one.
func (j *job) resize(columns, rows uint16) { j.child.Resize(columns, rows) }

// stderr reports the child's standard error.
func (j *job) stderr() { readLines(j.lines.said, j.child.Stderr) }

func (j *job) pump(_ context.Context, out outlet, batch *wire.Batch) error {
	j.out.codec, j.out.out, j.out.batch = j.codec, out, batch
	stdout := &stream{name: "stdout", from: j.child.Stdout}
	if j.codec.withStderr() {
		return j.pumped(j.out.runBoth(stdout, &stream{name: "stderr", from: j.child.Stderr, tap: j.lines.hear}))
	}
	return j.pumped(j.out.run(stdout))
}

// pumped returns the cause of the end of the output.
func (j *job) pumped(_, err error) error {
	j.lines.end()
	if err == nil {
		return errChildDone
	}
	j.child.Stdout.Abandon()
	if broken, ok := errors.AsType[Ending](err); ok {
		return broken // the codec's word for it
	}
	return nil // the outlet has failed: the cause comes from the socket
}

func (j *job) lastWord() {
	if j.ended == nil {
		return
	}
	defer j.out.batch.End()
	if j.codec.(lastWorder).lastWord(&j.out, <-j.ended) == nil {
		_ = j.out.flush() // whoever does not get it is not there any more
	}
}

func (j *job) wait(ctx context.Context) error {
	if err := j.child.Wait(ctx); err != nil {
		return err
	}
	return errChildDone
}

func (j *job) end(_ error, _, killed context.Context) process.State {
	j.place.ending()
	state := j.child.End(killed)
	j.place.programGone()
	if j.ended != nil {
		j.ended <- state
	}
	return state
}

func (j *job) release() {
	j.wg.Wait()
	j.child.Close()
}
