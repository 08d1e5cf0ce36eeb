//go:build unix

package process

import "syscall"

// canTry says that a read and a write can be tried.
const canTry = true

// readNow is read(2) on a file descriptor that does not block: without
// anything to read its error is syscall.EAGAIN, and at the end n is 0. On
// Windows, where there is no such thing, everything has ended.
func readNow(fd uintptr, p []byte) (n int, err error) {
	for {
		n, err = syscall.Read(int(fd), p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// writeNow is write(2) on a file descriptor that does not block: without room
// its error is syscall.EAGAIN. On Windows there is never room.
func writeNow(fd uintptr, p []byte) (n int, err error) {
	for {
		n, err = syscall.Write(int(fd), p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
