//go:build unix

package process

import "syscall"

// openNonblock keeps open(2) from waiting for the other end of a FIFO.
const openNonblock = syscall.O_NONBLOCK

// errFormat is the system's error for a file that it cannot execute.
const errFormat = syscall.ENOEXEC
