//go:build unix

package cmd

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// obeySequences has a terminal obey escape sequences, as those of unix do.
func obeySequences(*os.File) {}

// moreSignals are those that a tty looks out for besides stopSignals. SIGTSTP is not one
// of them: a process that has once asked for it is not stopped by it any more.
var moreSignals = []os.Signal{syscall.SIGCONT, syscall.SIGQUIT}

func isContinue(s os.Signal) bool { return s == syscall.SIGCONT }
func isQuit(s os.Signal) bool     { return s == syscall.SIGQUIT }

// suspend stops the process as a terminal does when somebody types Ctrl-Z, and returns
// when it goes on, or soon if there is no shell to let it go on.
func suspend() {
	goesOn := make(chan os.Signal, 1)
	signal.Notify(goesOn, syscall.SIGCONT)
	defer signal.Stop(goesOn)
	_ = syscall.Kill(0, syscall.SIGTSTP)
	select {
	case <-goesOn:
	case <-time.After(100 * time.Millisecond):
	}
}

// interrupt does what a terminal does when somebody types Ctrl-C.
func interrupt(func()) { _ = syscall.Kill(0, syscall.SIGINT) }

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
