//go:build !race

package process

import (
	"syscall"
	"unsafe"
)

// What does not wait is done here without telling the Go scheduler. To be
// told, it would wake its monitor thread each time that the server was idle
// before, and hand on the work of a thread that another process has preempted:
// a message that comes alone pays twice the context switches. The other side
// of it is that the scheduler waits for the call, so it is for what takes some
// ten microseconds at most. With the race detector nothing is done so, because
// its eyes are on the ordinary calls.

// quick is how many bytes are copied in some ten microseconds.
const quick = 128 << 10

// ReadNow is read(2) on a file descriptor that does not block: without
// anything to read its error is syscall.EAGAIN, at the end n is 0.
func ReadNow(fd uintptr, p []byte) (n int, err error) {
	if len(p) > quick {
		return readNow(fd, p)
	}
	return result(syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))))
}

// WriteNow is write(2) on a file descriptor that does not block: without room
// its error is syscall.EAGAIN.
func WriteNow(fd uintptr, p []byte) (n int, err error) {
	if len(p) > quick {
		return writeNow(fd, p)
	}
	return result(syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))))
}

// result knows nothing of EINTR, which only calls that wait return
// (signal(7)).
func result(n, _ uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
