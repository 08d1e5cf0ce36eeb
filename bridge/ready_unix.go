//go:build unix

package bridge

import "syscall"

// canTry says that a read can be tried on what has a syscall.RawConn.
const canTry = true

// readOnce reads without waiting.
func readOnce(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
