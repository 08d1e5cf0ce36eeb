package bridge

import (
	"cmp"
	"math"
	"time"
)

// Bounds are what one session may take. Every zero value is a sound default.
type Bounds struct {
	// MaxMessageSize is how many bytes a message from the client may have,
	// and how many may wait for a child that does not read. A larger message
	// ends the session with 1009. The body of a request for a CGI program
	// (ServeCGI) has the same limit. Zero means 1 MiB. A negative number is no
	// limit to a message; then 1 MiB and one message may wait for the child.
	MaxMessageSize int

	// PingInterval is the time between two pings to a client. It is taken for
	// dead when nothing has come from it for two intervals and the time that it
	// needs, at 7 KiB a second, to read what it was sent before; and, while its
	// output waits for it, when its system takes nothing for two intervals and
	// 9 s. Zero means 30 s. A negative duration sends none; then a client that
	// has vanished is noticed only when something is sent to it.
	PingInterval time.Duration

	// Timeout is how long a session may live. Then it is closed with 1001
	// and the reason "session timeout", and its child is ended. Zero means
	// no limit.
	Timeout time.Duration

	// IdleTimeout is how long a session may go on without a message either
	// way. Then it is closed with 1001 and the reason "idle", and its child
	// is ended. A message from the client counts when it has come in whole,
	// one to it when it is sent; pings and pongs do not count. Zero means no
	// limit.
	IdleTimeout time.Duration

	// Grace is added to each of the waits at a child's end: 100 ms for it
	// to end by itself, 250 ms after the interrupt signal, 500 ms after
	// the termination signal.
	Grace time.Duration
}

// The defaults of the fields of Bounds.
const (
	DefaultMaxMessageSize = 1 << 20
	DefaultPingInterval   = 30 * time.Second
)

// maxMessageSize is the limit of MaxMessageSize, which is never negative.
func (b *Bounds) maxMessageSize() int {
	if b.MaxMessageSize < 0 {
		return math.MaxInt
	}
	return cmp.Or(b.MaxMessageSize, DefaultMaxMessageSize)
}

// backlog is how many bytes may wait for a child that does not read.
func (b *Bounds) backlog() int {
	if b.MaxMessageSize < 0 {
		return DefaultMaxMessageSize
	}
	return b.maxMessageSize()
}

func (b *Bounds) pingInterval() time.Duration { return cmp.Or(b.PingInterval, DefaultPingInterval) }
