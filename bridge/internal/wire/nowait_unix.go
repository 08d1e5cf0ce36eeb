//go:build unix

package wire

import "syscall"

// canTry says that reads and writes can be tried on a socket.
const canTry = true

// readNow is read(2) on a file descriptor that does not block: without anything
// to read its error is syscall.EAGAIN, at the end n is 0, and syscall.EINTR says
// to try again.
func readNow(fd uintptr, p []byte) (n int, err error) {
	n, err = syscall.Read(int(fd), p)
	return max(n, 0), err
}

// writeNow is write(2) on a file descriptor that does not block: without room
// its error is syscall.EAGAIN, and syscall.EINTR says to try again.
func writeNow(fd uintptr, p []byte) (n int, err error) {
	n, err = syscall.Write(int(fd), p)
	return max(n, 0), err
}
