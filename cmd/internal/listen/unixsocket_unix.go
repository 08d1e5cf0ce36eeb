//go:build unix

package listen

import (
	"io/fs"
	"net"
	"os"
	"syscall"
)

// bindUnix makes a socket that has its mode from the first moment on: bind(2)
// gives it 0777 less the umask, and chmod(2) would come after it.
func bindUnix(path string, mode fs.FileMode) (*net.UnixListener, error) {
	defer syscall.Umask(syscall.Umask(int(^mode & fs.ModePerm)))
	return net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
}

// isListening reports whether a socket waits for connections, as one of systemd
// does unless it is a datagram socket or has Accept=yes.
func isListening(socket *os.File) bool {
	listening := 0
	conn, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	_ = conn.Control(func(fd uintptr) {
		listening, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	})
	return err == nil && listening != 0
}
