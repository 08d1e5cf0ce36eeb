//go:build unix

package cmd

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// moreSignals are those that a tty looks out for besides stopSignals.
var moreSignals = []os.Signal{syscall.SIGTSTP, syscall.SIGQUIT}

func isSuspend(s os.Signal) bool { return s == syscall.SIGTSTP }
func isQuit(s os.Signal) bool    { return s == syscall.SIGQUIT }

// suspend stops the process as SIGTSTP does by itself, and returns when it goes on, or at
// once if there is nobody to let it go on. Then signals has news of SIGTSTP again.
func suspend(signals chan<- os.Signal) {
	goesOn := make(chan os.Signal, 1)
	signal.Notify(goesOn, syscall.SIGCONT)
	defer signal.Stop(goesOn)
	signal.Reset(syscall.SIGTSTP)
	defer signal.Notify(signals, syscall.SIGTSTP)
	_ = syscall.Kill(os.Getpid(), syscall.SIGTSTP)
	select {
	case <-goesOn:
	case <-time.After(100 * time.Millisecond): // in an orphaned process group
	}
}

// die ends the process by a signal.
func die(s os.Signal) {
	signal.Reset(s)
	_ = syscall.Kill(os.Getpid(), s.(syscall.Signal))
	select {}
}

// sizeNews has an element when the size of the terminal may have changed.
func sizeNews() (news <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGWINCH)
	return c, func() {
		signal.Stop(c)
		close(c)
	}
}
