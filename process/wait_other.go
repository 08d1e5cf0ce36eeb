//go:build unix && !linux

package process

import (
	"errors"
	"os"
	"syscall"
)

// A leader is the child itself. It is watched by a thread that is blocked in
// kevent(2), which tells of the exit without reaping.
type leader struct {
	exit
	pid     int
	session bool // it leads a session too
	kq      int
}

func (l *leader) prepare(*syscall.SysProcAttr) (err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if l.kq, err = syscall.Kqueue(); err != nil {
		return os.NewSyscallError("kqueue", err)
	}
	syscall.CloseOnExec(l.kq)
	return nil
}

func (l *leader) watch() {
	l.exit = make(exit)
	go l.block()
}

func (l *leader) block() {
	event := make([]syscall.Kevent_t, 1)
	syscall.SetKevent(&event[0], l.pid, syscall.EVFILT_PROC, syscall.EV_ADD|syscall.EV_ONESHOT)
	event[0].Fflags = syscall.NOTE_EXIT
	for {
		// A child that is a zombie already gives an event or ESRCH.
		_, err := syscall.Kevent(l.kq, event, event, nil)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	close(l.exit)
}

func (l *leader) unwatch() { syscall.Close(l.kq) }
