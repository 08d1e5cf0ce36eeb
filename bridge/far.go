package bridge

import (
	"context"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// A farEnd is what is behind a session's socket: a job, which is a program, or
// the ownStreams of a Client. It takes batches of messages and pumps its output
// as batches of frames; neither it nor the socket ends the other.
type farEnd interface {
	// inbox is where messages go.
	inbox() *inbox

	// pump sends the output to an outlet by a batch of that, until there is no
	// more, ctx is done, or the outlet takes no more. What it returns is the
	// cause for the session to end, or nil if only the outlet has failed.
	pump(ctx context.Context, out outlet, batch *wire.Batch) error

	// lastWord waits for end, if there is something to say of it behind the output,
	// and sends that.
	lastWord()

	// wait waits for the far end to be over, or ctx to be done, and returns the
	// cause.
	wait(ctx context.Context) error

	// hurry lets what was received be given without waiting for room, because the
	// socket has ended in this way.
	hurry(how error)

	// closeInput says that nothing more is given: the input ends when what was
	// given before has been taken.
	closeInput()

	// end ends the far end of a session that ends for a cause, and waits for that,
	// but not for long when the server drains. What is left of the output can still
	// be pumped.
	end(cause error, draining, killed context.Context) process.State

	// release waits for its goroutines and lets go of what it holds, when nobody
	// uses it any more.
	release()
}
