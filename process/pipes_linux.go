package process

import (
	"os"
	"syscall"
	"time"
)

// newPipe makes a pipe. The end to read is ours with ours 0, the one to write
// with 1. It never blocks, and is waited for in the runtime's poller: where
// that does not take it (epoll(7), max_user_watches) there is no pipe. The
// other end is the child's, and blocks, as programs expect theirs: the poller
// is not told of it, as os.Pipe would.
func newPipe(ours int) (own, child *os.File, err error) {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	_ = syscall.SetNonblock(fds[ours], true) // NewFile polls no other
	own = os.NewFile(uintptr(fds[ours]), "|")
	child = os.NewFile(uintptr(fds[1-ours]), "|")
	if own.SetDeadline(time.Time{}) != nil {
		closeAll([]*os.File{own, child})
		return nil, nil, os.NewSyscallError("epoll_ctl", syscall.ENOSPC)
	}
	return own, child, nil
}

const fSetPipeSize = 1031 // F_SETPIPE_SZ of fcntl(2)

// setPipeSize reports whether the pipe holds size bytes from now on.
func setPipeSize(f *os.File, size int) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	set := false
	_ = raw.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, fSetPipeSize, uintptr(size))
		set = errno == 0
	})
	return set
}
