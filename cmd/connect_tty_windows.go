package cmd

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/windows"
)

// obeySequences has a console obey escape sequences, which it may print otherwise.
func obeySequences(out *os.File) {
	var mode uint32
	console := windows.Handle(out.Fd())
	if windows.GetConsoleMode(console, &mode) == nil {
		_ = windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING)
	}
}

// moreSignals are those that a tty looks out for besides stopSignals.
var moreSignals []os.Signal

func isContinue(os.Signal) bool { return false }
func isQuit(os.Signal) bool     { return false }
func suspend()                  {} // there is nothing like it

// interrupt does what Ctrl-C is for.
func interrupt(leave func()) { leave() }

// die ends the process.
func die(os.Signal) { os.Exit(1) }

// sizeNews has an element when the size of the terminal may have changed, of which
// Windows does not tell.
func sizeNews() (news <-chan time.Time, stop func()) {
	c, done := make(chan time.Time), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(c)
		ticker := time.NewTicker(500 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case now := <-ticker.C:
				c <- now
			case <-done:
				return
			}
		}
	})
	return c, sync.OnceFunc(func() { close(done) })
}
