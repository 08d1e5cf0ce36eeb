//go:build unix

package site

import (
	"errors"
	"io/fs"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// patience is far more than anything takes here, also on a slow machine.
const patience = time.Minute

// What is no file is not there, and opening it holds nobody up.
func TestFilesThatAreNone(t *testing.T) {
	dir := sitetest.Public(t)
	for _, fifo := range []string{"fifo", "piped/index.html"} {
		path := filepath.Join(dir, fifo)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("fifo", filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	// The name of a socket must be short: it is made where the test runs.
	t.Chdir(dir)
	ln, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	files := open(t, dir).Handler(nil)
	for _, path := range []string{"/fifo", "/fifo/", "/piped/", "/piped/index.html", "/link.txt", "/socket"} {
		for _, method := range []string{"GET", "HEAD"} {
			w := httptest.NewRecorder()
			done := make(chan struct{})
			go func() {
				files.ServeHTTP(w, httptest.NewRequest(method, path, nil))
				done <- struct{}{}
			}()
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatalf("%s %s hangs", method, path)
			}
			if w.Code != 404 && w.Code != 301 {
				t.Errorf("%s %s: %d %q", method, path, w.Code, w.Body)
			}
		}
	}
}

// Nor does what takes the place of a file that was found, before it is opened.
func TestFilesThatBecomeNone(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(name, []byte("a"), 0o666); err != nil {
		t.Fatal(err)
	}
	files := open(t, dir)
	found, err := files.look("/a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(name), syscall.Mkfifo(name, 0o666)); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		file, _, err := files.open(found)
		if err == nil {
			file.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a FIFO was opened: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("opening a FIFO hangs")
	}
}
