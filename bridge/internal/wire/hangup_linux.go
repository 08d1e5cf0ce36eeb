package wire

import "golang.org/x/sys/unix"

// hungUp reports whether the peer has gone, or ended its direction of the
// connection at least. Nothing is read to find out: what came before the end
// may still be unread, which would hide it from a read.
func hungUp(fd uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	for {
		n, err := unix.Poll(fds, 0)
		if err != unix.EINTR {
			return n > 0 && fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
		}
	}
}

// unacked returns how much the system still holds of what was written to a
// socket: what was not sent yet, and what the peer's system has not
// acknowledged. For TCP these are bytes. For a unix socket n also counts what
// the system adds to them, and ends when the peer itself has read. ok is false
// if the system cannot tell.
func unacked(fd uintptr) (n int, ok bool) {
	// An int32, and some kernels put a negated error there.
	value, err := unix.IoctlGetUint32(int(fd), unix.SIOCOUTQ)
	n = int(int32(value))
	return max(n, 0), err == nil && n >= 0
}
