//go:build unix

package process

import (
	"os"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// newTerminal opens a terminal: our end of it, and the child's. As with a pipe, ours is
// waited for by the runtime's poller, and the child's blocks.
func newTerminal() (own, child *os.File, err error) {
	opened, child, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	defer opened.Close() // package pty has made it block for good
	fd, err := unix.FcntlInt(opened.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		child.Close()
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	_ = unix.SetNonblock(fd, true) // NewFile polls no other
	own = os.NewFile(uintptr(fd), opened.Name())
	if own.SetDeadline(time.Time{}) != nil {
		closeAll([]*os.File{own, child})
		return nil, nil, os.NewSyscallError("epoll_ctl", unix.ENOSPC)
	}
	return own, child, nil
}

// makeRaw makes the terminal pass on bytes as they are, like cfmakeraw(3).
func makeRaw(f *os.File) error {
	fd := int(f.Fd())
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return os.NewSyscallError("tcgetattr", err)
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return os.NewSyscallError("tcsetattr", unix.IoctlSetTermios(fd, setTermios, t))
}

// setSize sets the size that programs see.
func setSize(f *os.File, columns, rows uint16) error {
	size := &unix.Winsize{Col: columns, Row: rows}
	return os.NewSyscallError("tcsetwinsize", unix.IoctlSetWinsize(int(f.Fd()), unix.TIOCSWINSZ, size))
}
