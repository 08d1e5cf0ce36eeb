//go:build unix

package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A key from a pipe is read once, as a shell's <(command) wants it, and with a
// new certificate not again.
func TestCertificateFromAPipe(t *testing.T) {
	a, dir := newAuthority("test"), t.TempDir()
	cert, key := a.issue(1, "127.0.0.1")
	write(t, filepath.Join(dir, "cert"), cert)
	pipe := filepath.Join(dir, "key")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error)
	go func() { written <- os.WriteFile(pipe, key, 0) }()
	s := startWith(t, a, dir, "child", "echo")
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if got := s.serial(); got != 1 || strings.Contains(s.log.text(), "reloaded") {
		t.Errorf("it shows number %d", got)
	}
	cert, _ = a.issue(2, "127.0.0.1")
	write(t, filepath.Join(dir, "cert"), cert)
	if got := s.serial(); got != 1 {
		t.Errorf("then it shows number %d", got)
	}
	s.logs("a pipe can be read only once")
}
