package process

import (
	"io"
	"syscall"
)

// canTry says that a read and a write can be tried.
const canTry = false

// readNow finds an end everywhere: a pipe here has no deadlines, so that there
// is never a tail to read.
func readNow(uintptr, []byte) (n int, err error) { return 0, io.EOF }

// writeNow writes nothing: a pipe here cannot tell whether it would block.
func writeNow(uintptr, []byte) (n int, err error) { return 0, syscall.EAGAIN }
