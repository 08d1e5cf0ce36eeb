//go:build unix

package process

import "syscall"

// canTry says that a read and a write can be tried.
const canTry = true

// readNow is read(2) on a file descriptor that does not block: without
// anything to read its error is syscall.EAGAIN, and at the end n is 0.
func readNow(fd uintptr, p []byte) (n int, err error) {
	for {
		n, err = syscall.Read(int(fd), p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// writeNow is write(2) on a file descriptor that does not block: without room
// its error is syscall.EAGAIN, and syscall.EINTR says to try again.
//
// It is short to be inlined: without that, the stack of a session's input grows
// from 2 KiB to 4 (the idle scenario of BenchmarkPeers, in package cmd).
func writeNow(fd uintptr, p []byte) (n int, err error) {
	n, err = syscall.Write(int(fd), p)
	return max(n, 0), err
}
