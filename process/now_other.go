//go:build !linux || race

package process

// RecvNow is recv(2) on a socket that does not block: without anything to read
// its error is syscall.EAGAIN, at the end n is 0. Windows has no such thing,
// and an end everywhere.
func RecvNow(fd uintptr, p []byte) (n int, err error) { return readNow(fd, p) }

// SendNow is send(2) on a socket that does not block: without room its error
// is syscall.EAGAIN. Windows has room nowhere.
func SendNow(fd uintptr, p []byte) (n int, err error) { return writeNow(fd, p) }
