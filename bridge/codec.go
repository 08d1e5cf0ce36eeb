package bridge

import (
	"context"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// A Framing says how a program's byte streams and messages correspond. Nil is
// Lines.
type Framing interface {
	// newCodec returns what one session speaks it with.
	newCodec() codec
}

// codecOf returns a codec of a framing.
func codecOf(f Framing) codec {
	if f == nil {
		f = Lines{}
	}
	return f.newCodec()
}

// A codec is how one program speaks. It belongs to a far end, which lends it to
// the inbox for the way in.
type codec interface {
	// feed makes of the message that is batch[start:] what the program is to
	// read: it may append to it, insert before it, or take it away, and returns
	// the batch. The action, if there is one, is taken when the program has been
	// given everything before. The error is an Ending for a message that the
	// framing does not allow; the batch is then not looked at.
	feed(batch []byte, start int, kind wire.Kind) ([]byte, action, error)

	// inPieces reports whether a long message may be fed piece by piece, of
	// which feed sees the last.
	inPieces() bool

	// cut adds to d the messages that s has brought so far. atEOF says that
	// nothing follows. The error is that of d, or an Ending for a program that
	// broke the framing.
	cut(d *delivery, s *stream, atEOF bool) error

	// withStderr reports whether the client gets standard error too.
	withStderr() bool
}

// A lastWorder is a codec that has something to say when the program has ended.
type lastWorder interface {
	// lastWord adds to d what the client gets behind all output.
	lastWord(d *delivery, state process.State) error
}

// moreStreams is a codec of a Client that has more streams than input and output.
type moreStreams interface {
	// beside is one whose messages are sent until ctx ends; nil: there is none.
	beside(ctx context.Context) source

	// inputEnded is the message that says that there is no more input.
	inputEnded() []byte

	// besides is written to beside the output.
	besides() *feed

	// failure is what is wrong with the server, whoever has closed first.
	failure() error
}

// A chatterer is a codec that leaves out some of the program's output. It tells of
// it line by line.
type chatterer interface{ hear(said func(line string)) }

// An action is what a message asks of the program beyond reading it.
type action func(*job)
