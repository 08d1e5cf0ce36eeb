package process

import (
	"os"
	"syscall"
)

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
