//go:build !linux

package process

import "os"

// newPipe makes a pipe. The end to read is ours with ours 0, the one to write
// with 1; the other is the child's.
func newPipe(ours int) (own, child *os.File, err error) {
	r, w, err := os.Pipe()
	if ours == 1 {
		return w, r, err
	}
	return r, w, err
}

func setPipeSize(*os.File, int) bool { return false }
