//go:build unix

package listen

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// socketDir is a directory whose path leaves room for the name of a socket.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "wsb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestUnixMode(t *testing.T) {
	const ours = 0o027
	defer syscall.Umask(syscall.Umask(ours))
	dir := socketDir(t)
	for _, mode := range []fs.FileMode{0o755, 0o600, 0o660, 0o777, 0} {
		ln, err := Unix(filepath.Join(dir, "s"), mode)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(filepath.Join(dir, "s"))
		if err != nil || info.Mode() != fs.ModeSocket|mode {
			t.Errorf("%v, %v; want %v", info.Mode(), err, mode)
		}
		ln.Close()
	}
	if now := syscall.Umask(ours); now != ours {
		t.Errorf("the umask is %03o, it was %03o", now, ours)
	}
}

// Nothing but a socket on which nobody listens is removed.
func TestUnixInTheWay(t *testing.T) {
	for _, test := range []struct {
		name  string
		make  func(t *testing.T, path string)
		error string // empty: it is removed
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"stale", func(t *testing.T, path string) {
			ln := listenAt(t, path)
			ln.SetUnlinkOnClose(false)
			ln.Close()
		}, ""},
		{"stale datagram socket", func(t *testing.T, path string) { datagramAt(t, path).Close() }, ""},
		{"live", func(t *testing.T, path string) { listenAt(t, path) }, "another server listens there"},
		{"live datagram socket", func(t *testing.T, path string) { datagramAt(t, path) }, "cannot tell whether a server uses the socket: "},
		{"file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "the path exists and is not a socket"},
		{"directory", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "the path exists and is not a socket"},
		{"fifo", func(t *testing.T, path string) {
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "the path exists and is not a socket"},
		{"link to a stale one", func(t *testing.T, path string) {
			ln := listenAt(t, path+"2")
			ln.SetUnlinkOnClose(false)
			ln.Close()
			if err := os.Symlink(path+"2", path); err != nil {
				t.Fatal(err)
			}
		}, "the path exists and is not a socket"},
		{"link to nothing", func(t *testing.T, path string) {
			if err := os.Symlink(path+"2", path); err != nil {
				t.Fatal(err)
			}
		}, "the path exists and is not a socket"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(socketDir(t), "s")
			test.make(t, path)
			before, _ := os.Lstat(path)
			ln, err := Unix(path, 0o755)
			if test.error == "" {
				if err != nil {
					t.Fatal(err)
				}
				defer ln.Close()
				nc, err := net.Dial("unix", path)
				if err != nil {
					t.Fatal(err)
				}
				nc.Close()
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), "cannot listen on unix:"+path+": "+test.error) {
				t.Errorf("got %v, want %q", err, test.error)
			}
			if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
				t.Errorf("it is gone: %v", err)
			}
		})
	}
}

// A server that is about to listen is not taken for one that is gone.
func TestUnixAboutToListen(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	settle := func() {
		if err := syscall.Listen(fd, 1); err != nil {
			t.Error(err)
		}
	}
	if ln, err := (unixSocket{path: path, mode: 0o755, settle: settle}).listen(); err == nil {
		ln.Close()
		t.Error("it was taken for one that is gone")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

// Of several servers that are started at once, one gets the socket.
func TestUnixReplacedMeanwhile(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	ln := listenAt(t, path)
	ln.SetUnlinkOnClose(false)
	ln.Close()
	settle := func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
		datagramAt(t, path).Close() // refuses as well, and is another
	}
	if ln, err := (unixSocket{path: path, mode: 0o755, settle: settle}).listen(); err == nil {
		ln.Close()
		t.Error("it has removed another's socket")
	}
}

func listenAt(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func datagramAt(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// What another server has put in the place of a socket is not removed with it.
func TestUnixReplaced(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	ln, err := Unix(path, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	listenAt(t, path)
	ln.Close()
	if nc, err := net.Dial("unix", path); err != nil {
		t.Error(err)
	} else {
		nc.Close()
	}

	// Nor when it is closed again.
	if ln, err = Unix(path+"2", 0o755); err != nil {
		t.Fatal(err)
	}
	ln.Close()
	listenAt(t, path+"2")
	ln.Close()
	if _, err := os.Lstat(path + "2"); err != nil {
		t.Error(err)
	}
}
