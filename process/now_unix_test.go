//go:build unix

package process

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

func TestNow(t *testing.T) {
	for _, size := range []int{1, 100, 1 << 20} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		call := func(f *os.File, do func(uintptr, []byte) (int, error), p []byte) (n int, err error) {
			raw, rawErr := f.SyscallConn()
			if rawErr != nil {
				t.Fatal(rawErr)
			}
			if rawErr := raw.Control(func(fd uintptr) { n, err = do(fd, p) }); rawErr != nil {
				t.Fatal(rawErr)
			}
			return n, err
		}
		p := make([]byte, size)
		if n, err := call(r, readNow, p); n != 0 || !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("reading %d of nothing: %d, %v", size, n, err)
		}
		if n, err := call(w, writeNow, []byte("abc")); n != 3 || err != nil {
			t.Errorf("writing: %d, %v", n, err)
		}
		if n, err := call(r, readNow, p); n != min(3, size) || err != nil || p[0] != 'a' {
			t.Errorf("reading %d of abc: %d, %v, %q", size, n, err, p[0])
		}
		for err == nil {
			_, err = call(w, writeNow, p)
		}
		if !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("writing %d to a full pipe: %v", size, err)
		}
		w.Close()
		for n := 1; n > 0; {
			if n, err = call(r, readNow, p); err != nil {
				t.Errorf("reading %d to the end: %v", size, err)
			}
		}
		r.Close()
		if r, w, err = os.Pipe(); err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		r.Close()
		if n, err := call(w, writeNow, p); n != 0 || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("writing %d to nobody: %d, %v", size, n, err)
		}
	}
}
