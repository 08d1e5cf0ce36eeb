package bridge

// Close is how a WebSocket was closed (RFC 6455, section 7.1.5 and 7.1.6).
// A connection that was dropped without a close frame has code 1006.
type Close struct {
	Code   int
	Reason string
}

// ExitStatus is the exit status that the close tells of: 0 for 1000, N for
// 4000+N up to 255, and 1 for everything else.
func (c Close) ExitStatus() int { return 0 }
