//go:build unix

package process

import "syscall"

// canTry says that a read and a write can be tried.
const canTry = true

// readNow is read(2) on a file descriptor that does not block: without
// anything to read its error is syscall.EAGAIN, at the end n is 0, and
// syscall.EINTR says to try again. Windows has no such thing, and an end
// everywhere.
//
// It and writeNow are short to be inlined: a stack that has to grow for them is
// much of what an idle session takes.
func readNow(fd uintptr, p []byte) (n int, err error) {
	n, err = syscall.Read(int(fd), p)
	return max(n, 0), err
}

// writeNow is write(2) on a file descriptor that does not block: without room
// its error is syscall.EAGAIN, and syscall.EINTR says to try again. Windows has
// room nowhere.
func writeNow(fd uintptr, p []byte) (n int, err error) {
	n, err = syscall.Write(int(fd), p)
	return max(n, 0), err
}
