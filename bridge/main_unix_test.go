//go:build unix

package bridge

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// leftChildren reports whether a child was not reaped.
func leftChildren() int {
	pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	if !errors.Is(err, syscall.ECHILD) {
		fmt.Fprintf(os.Stderr, "a child was left behind: pid %d, %v\n", pid, err)
		return 1
	}
	return 0
}
