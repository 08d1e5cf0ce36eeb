package process

import (
	"os"
	"syscall"
	"time"
)

// newPipe makes a pipe. If ours is 0, this process keeps the reading end, if it is 1
// the writing end; the child gets the other. Our end does not block: the runtime's
// poller waits for it. If the poller cannot take it (epoll(7), max_user_watches),
// newPipe fails. The child's end blocks, as programs expect, so newPipe cannot use
// os.Pipe, which makes both ends non-blocking.
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
