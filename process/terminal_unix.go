//go:build unix

package process

import (
	"os"
	"syscall"
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

// makeUTF8 makes the terminal's line editing erase whole characters.
func makeUTF8(f *os.File) error {
	fd := int(f.Fd())
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return os.NewSyscallError("tcgetattr", err)
	}
	t.Iflag |= utf8Input
	return os.NewSyscallError("tcsetattr", unix.IoctlSetTermios(fd, setTermios, t))
}

// setSize sets the size that programs see. It may be called while f is closed.
func setSize(f *os.File, columns, rows uint16) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	size := &unix.Winsize{Col: columns, Row: rows}
	if closed := raw.Control(func(fd uintptr) { err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, size) }); closed != nil {
		return closed
	}
	return os.NewSyscallError("tcsetwinsize", err)
}

// attributes are how the child gets a process group of its own, or a session with a
// controlling terminal.
func (s *stdio) attributes() *syscall.SysProcAttr {
	if s.terminal == nil {
		return &syscall.SysProcAttr{Setpgid: true}
	}
	return &syscall.SysProcAttr{Setsid: true, Setctty: true} // Ctty is 0, its standard input
}
