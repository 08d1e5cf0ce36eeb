//go:build !linux

package wire

// hungUp reports whether the peer has gone, where the system can tell. Here it
// cannot: then a read finds out, or a ping.
func hungUp(fd uintptr) bool { return false }

// unacked returns how much the system still holds of what was written to a
// socket. Here it cannot tell.
func unacked(fd uintptr) (n int, ok bool) { return 0, false }
