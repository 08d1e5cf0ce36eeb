package process

import (
	"context"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// A leader is the child itself. It is watched through a pidfd in the
// runtime's poller, where waiting costs no thread. Before Linux 5.3 a pidfd cannot be
// polled; there a thread blocks in waitid(2).
type leader struct {
	pid     int
	session bool // it leads a session too
	fd      int  // the pidfd as StartProcess gives it, or -1
	pidfd   *os.File
	raw     syscall.RawConn
	done    exit // used without a pidfd
}

// prepare asks for a pidfd, and for the child's death with this server's.
func (l *leader) prepare(attr *syscall.SysProcAttr) error {
	l.fd = -1
	attr.PidFD = &l.fd
	// The signal is sent when the thread that forks exits (prctl(2)); the
	// runtime ends threads of locked goroutines only.
	attr.Pdeathsig = syscall.SIGKILL
	return nil
}

func (l *leader) watch() {
	if l.fd >= 0 {
		_ = syscall.SetNonblock(l.fd, true) // NewFile polls no other
		pidfd := os.NewFile(uintptr(l.fd), "pidfd")
		if pidfd.SetReadDeadline(time.Time{}) == nil {
			l.pidfd = pidfd
			l.raw, _ = pidfd.SyscallConn() // fails on a closed file only
			return
		}
		pidfd.Close()
	}
	l.done = make(exit)
	go l.block()
}

// hasExited asks waitid(2) about the child and leaves it to be reaped. It asks
// for the process ID, which is good until then: P_PIDFD came later than
// pidfds that can be polled.
func (l *leader) hasExited(options uintptr) bool {
	const pPID = 1     // P_PID, which package syscall does not have
	var info [32]int32 // siginfo_t; it begins with si_signo, 0 if nobody exited
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPID, uintptr(l.pid),
			uintptr(unsafe.Pointer(&info)), syscall.WEXITED|syscall.WNOWAIT|options, 0, 0)
		if errno != syscall.EINTR {
			return errno != 0 || info[0] != 0
		}
	}
}

func (l *leader) exited() bool { return l.hasExited(syscall.WNOHANG) }

func (l *leader) block() {
	l.hasExited(0)
	close(l.done)
}

func (l *leader) wait(ctx context.Context) error {
	if l.pidfd == nil {
		return l.done.wait(ctx)
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = l.pidfd.SetReadDeadline(time.Unix(0, 1))
		close(woken)
	})
	err := l.raw.Read(func(uintptr) bool { return l.exited() })
	if !stop() {
		<-woken
		_ = l.pidfd.SetReadDeadline(time.Time{})
	}
	if err != nil && !l.exited() {
		return context.Cause(ctx)
	}
	return nil
}

func (l *leader) unwatch() {
	if l.pidfd != nil {
		l.pidfd.Close()
	}
}
