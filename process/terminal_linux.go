package process

import "golang.org/x/sys/unix"

// The requests of ioctl(2) for termios(3).
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS

	utf8Input = unix.IUTF8
)
