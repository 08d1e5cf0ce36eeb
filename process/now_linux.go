//go:build !race

package process

import (
	"syscall"
	"unsafe"
)

// What a socket does without waiting is done here without telling the Go
// scheduler. Being told, it wakes its monitor thread each time that the server
// was idle before, and hands on the work of a thread that another process has
// preempted: a message that comes alone pays twice the context switches. The
// other side of it is that the scheduler waits for the call, and with it, when
// it is about to collect garbage, everybody. So it is for what takes some tens
// of microseconds at most, and never for a pipe: whoever is at its other end
// can hold its lock for as long as he likes (splice(2) to a socket that is
// full, or a buffer that is on a slow disk). With the race detector nothing is
// done so, because its eyes are on the ordinary calls.

// quick is how many bytes are copied in some tens of microseconds.
const quick = 128 << 10

// RecvNow is recv(2) on a socket that does not block: without anything to read
// its error is syscall.EAGAIN, at the end n is 0.
func RecvNow(fd uintptr, p []byte) (n int, err error) {
	if len(p) > quick {
		return readNow(fd, p)
	}
	return result(syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))))
}

// SendNow is send(2) on a socket that does not block: without room its error
// is syscall.EAGAIN.
func SendNow(fd uintptr, p []byte) (n int, err error) {
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
