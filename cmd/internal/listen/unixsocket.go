package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// Why a unix socket cannot be made.
var (
	ErrLive      = errors.New("another server listens there")
	ErrNotSocket = errors.New("the path exists and is not a socket")
)

// Unix listens on a unix socket at path, in place of one on which nobody listens
// any more.
func Unix(path string, mode fs.FileMode) (net.Listener, error) {
	return unixSocket{path: path, mode: mode}.listen()
}

// A unixSocket is a socket that is about to be made.
type unixSocket struct {
	path string
	mode fs.FileMode

	// settle waits for a server that has made its socket and not yet begun to
	// listen; nil waits for 50 ms.
	settle func()
}

func (u unixSocket) listen() (net.Listener, error) {
	where := "unix:" + u.path
	if err := u.removeStale(); err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", where, err)
	}
	ln, err := bindUnix(u.path, u.mode)
	if err != nil {
		err = failed(where, err)
		if errors.Is(err, fs.ErrNotExist) {
			err = hint.Add(err, "its directory must be there already")
		}
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	file, err := os.Lstat(u.path)
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("cannot listen on %s: another process has removed it: %w", where, err)
	}
	return &unixListener{UnixListener: ln, path: u.path, file: file}, nil
}

// removeStale removes a socket that a server has left behind, and nothing else.
func (u unixSocket) removeStale() error {
	path := u.path
	file, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err.(*fs.PathError).Err
	case file.Mode().Type() != fs.ModeSocket:
		return ErrNotSocket
	}
	conn, err := net.Dial("unix", path)
	if IsErrno(err, syscall.ECONNREFUSED) {
		if u.settle != nil {
			u.settle()
		} else {
			time.Sleep(50 * time.Millisecond)
		}
		conn, err = net.Dial("unix", path)
	}
	switch {
	case err == nil:
		conn.Close()
		return ErrLive
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case !IsErrno(err, syscall.ECONNREFUSED):
		return fmt.Errorf("cannot tell whether a server uses the socket: %w", causeOf(err))
	}
	// Another server may have been faster, and may have got the same inode.
	now, err := os.Lstat(path)
	if err == nil && !(os.SameFile(file, now) && file.ModTime().Equal(now.ModTime())) {
		return ErrLive
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the socket that an earlier server left behind: %w", err.(*fs.PathError).Err)
	}
	return nil
}

// A unixListener removes its socket when it is closed, if it is still its own.
type unixListener struct {
	*net.UnixListener
	path   string
	file   fs.FileInfo // as it was made
	remove sync.Once
}

// Close removes the file first: as long as it is there, it is live to others,
// and its inode nobody else's.
func (l *unixListener) Close() error {
	l.remove.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(l.file, now) {
			_ = os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}
