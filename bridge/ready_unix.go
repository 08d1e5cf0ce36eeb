//go:build unix

package bridge

import "syscall"

// canTry says that reads and writes can be tried on what has a
// syscall.RawConn.
const canTry = true

// readOnce and writeOnce do not wait.
func readOnce(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

func writeOnce(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
