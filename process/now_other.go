//go:build !linux || race

package process

// ReadNow is read(2) on a file descriptor that does not block: without
// anything to read its error is syscall.EAGAIN, at the end n is 0. Windows has
// no such thing, and an end everywhere.
func ReadNow(fd uintptr, p []byte) (n int, err error) { return readNow(fd, p) }

// WriteNow is write(2) on a file descriptor that does not block: without room
// its error is syscall.EAGAIN. Windows has room nowhere.
func WriteNow(fd uintptr, p []byte) (n int, err error) { return writeNow(fd, p) }
