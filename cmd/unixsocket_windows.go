package cmd

import (
	"io/fs"
	"net"
)

// bindUnix makes a socket that has the rights of its directory.
func bindUnix(path string, _ fs.FileMode) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
}
