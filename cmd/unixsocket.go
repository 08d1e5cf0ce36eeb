package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// parseSocketPath reads a value of --unixsocket.
func parseSocketPath(path string) ([]string, error) {
	// One byte is the NUL at the end.
	const longest = len(syscall.RawSockaddrUnix{}.Path) - 1
	switch {
	case path == "":
		return nil, errors.New("names no file")
	case strings.ContainsRune(path, 0):
		return nil, errors.New("has a NUL in it")
	case path[0] == '@':
		// To package net this is a name in Linux's abstract namespace,
		// which has no mode: everybody could connect.
		return nil, fmt.Errorf("abstract sockets are not supported; a file of this name is ./%s", path)
	case len(path) > longest:
		return nil, fmt.Errorf("is %d bytes long, %d are the most that the path of a socket may have (a relative one counts as it is written)", len(path), longest)
	}
	return []string{path}, nil
}

// An octalValue is a flag that takes the permissions of a file.
type octalValue fs.FileMode

func (v *octalValue) Set(s string) error {
	mode, err := strconv.ParseUint(s, 8, 32)
	if err != nil || mode > uint64(fs.ModePerm) {
		return errors.New("must be an octal number up to 0777")
	}
	*v = octalValue(mode)
	return nil
}

func (v *octalValue) String() string { return fmt.Sprintf("%04o", uint32(*v)) }
func (v *octalValue) Type() string   { return "octal" }

// listenUnix listens on a unix socket at path, in the place of one on which
// nobody listens any more.
func listenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	where := "unix:" + path
	if err := removeStale(path); err != nil {
		if h, ok := errors.AsType[*hintedError](err); ok {
			return nil, &hintedError{fmt.Errorf("cannot listen on %s: %w", where, h.err), h.hint}
		}
		return nil, fmt.Errorf("cannot listen on %s: %w", where, err)
	}
	ln, err := bindUnix(path, mode)
	if err != nil {
		err = fmt.Errorf("cannot listen on %s: %w", where, causeOf(err))
		if errors.Is(err, fs.ErrNotExist) {
			err = &hintedError{err, "its directory must be there already"}
		}
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	file, err := os.Lstat(path)
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("cannot listen on %s: somebody has removed it: %w", where, err)
	}
	return &unixListener{UnixListener: ln, path: path, file: file}, nil
}

var errLiveSocket = &hintedError{
	errors.New("another server listens there"),
	"stop it, or choose another --unixsocket",
}

// settle waits for a server that has made its socket and not yet begun to
// listen. Tests replace it.
var settle = func() { time.Sleep(50 * time.Millisecond) }

// removeStale removes a socket that a server has left behind, and nothing else.
func removeStale(path string) error {
	file, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err.(*fs.PathError).Err
	case file.Mode().Type() != fs.ModeSocket:
		return &hintedError{
			errors.New("there is a file that is no socket"),
			"choose another --unixsocket, or remove the file yourself",
		}
	}
	conn, err := net.Dial("unix", path)
	if isErrno(err, syscall.ECONNREFUSED) {
		settle()
		conn, err = net.Dial("unix", path)
	}
	switch {
	case err == nil:
		conn.Close()
		return errLiveSocket
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case !isErrno(err, syscall.ECONNREFUSED):
		return fmt.Errorf("the socket that is there cannot be tried: %w", causeOf(err))
	}
	// Another server may have been faster, and may have got the same inode.
	now, err := os.Lstat(path)
	if err == nil && !(os.SameFile(file, now) && file.ModTime().Equal(now.ModTime())) {
		return errLiveSocket
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the socket that another server has left: %w", err.(*fs.PathError).Err)
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
