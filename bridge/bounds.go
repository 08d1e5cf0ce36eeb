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

	// PingInterval is the time between two pings to a client. A client is dead when
	// nothing has come from it for two intervals plus the time that it needs, at
	// 7 KiB a second, to read what it was sent before. While output waits for the
	// client, it is dead when its system takes nothing for two intervals plus 9 s.
	// Zero means 30 s. A negative duration sends no pings, except those that Resume
	// needs; then a client that has vanished is noticed only when something is sent
	// to it.
	PingInterval time.Duration

	// Timeout is how long a session may last. After that it is closed with 1001
	// and the reason "session timeout", and its child is ended. Zero means
	// no limit.
	Timeout time.Duration

	// IdleTimeout is how long a session may last without a message in either
	// direction. After that it is closed with 1001 and the reason "idle", and its
	// child is ended. A message from the client counts when it is whole, one to the
	// client when it is sent; pings and pongs do not count. Zero means no limit.
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
