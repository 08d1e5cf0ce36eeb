//go:build unix && !linux

package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// The requests of ioctl(2) for termios(3).
const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA

	utf8Input = 0 // not all of them have it
)

// signalSession reaches no other process groups of a session here.
func signalSession(int, syscall.Signal) {}
