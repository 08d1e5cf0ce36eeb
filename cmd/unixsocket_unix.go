//go:build unix

package cmd

import (
	"io/fs"
	"net"
	"syscall"
)

// bindUnix makes a socket that has its mode from the first moment on: bind(2)
// gives it 0777 less the umask, and chmod(2) would come after it.
func bindUnix(path string, mode fs.FileMode) (*net.UnixListener, error) {
	defer syscall.Umask(syscall.Umask(int(^mode & fs.ModePerm)))
	return net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
}
