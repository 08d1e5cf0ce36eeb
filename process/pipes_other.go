//go:build !linux

package process

import "os"

// newPipe makes a pipe. If ours is 0, this process keeps the reading end, if it is 1
// the writing end; the child gets the other.
func newPipe(ours int) (own, child *os.File, err error) {
	r, w, err := os.Pipe()
	if ours == 1 {
		return w, r, err
	}
	return r, w, err
}

func setPipeSize(*os.File, int) bool { return false }
