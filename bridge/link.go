package bridge

import (
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A link is the client's end of a session: a WebSocket (wire.Conn), or the hub
// of a program that several of them attach to. One goroutine receives, one
// sends; whoever wants may call the other methods.
type link interface {
	// NewBatch returns a batch for Send.
	NewBatch() *wire.Batch

	// Send takes a batch to the client, and waits until it is taken.
	Send(*wire.Batch) error

	// Receive hands over what the client sends until the link ends, and returns
	// how: a wire.Ending, or wire.ErrStopped after Stop.
	Receive(wire.Inbox) error
	Stop()

	// Watch begins to look whether the client lives; lost is told if it does not.
	Watch(lost func(wire.Ending))

	// Answer says how the link ends from now on, whatever the client may say.
	Answer(wire.Ending)

	// Say sends a close frame while Receive goes on. It reports whether the answer is
	// still to be waited for.
	Say(wire.Ending) bool

	// Respond answers the client's close frame, if its answer waits (wire.Options).
	Respond()

	// Leave ends a link that has ended by itself, Close ends it with an ending,
	// and returns how it really ended; Cut ends it at once.
	Leave()
	Close(end wire.Ending, limit time.Duration) wire.Ending
	Cut()

	// What the client has taken and read: see wire.Conn.
	Reached() int64
	Unread() int64
	Ask() bool
	Silent() <-chan struct{}
	Pongs() <-chan struct{}

	Received() wire.Traffic
	Sent() wire.Traffic
}
