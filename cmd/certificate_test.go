package cmd

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A certificate that has changed is shown from the next handshake on, however
// it was put there; sessions do not notice.
func TestCertificateChanges(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has other links")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// swap lets a link lead to another place at once.
	swap := func(to, link string) {
		must(os.Symlink(to, link+".new"))
		must(os.Rename(link+".new", link))
	}
	for _, test := range []struct {
		name    string
		prepare func(dir string, a *authority) // puts number 1 there
		change  func(dir string, a *authority) // and number 2
	}{
		{"written over", func(dir string, a *authority) { writePair(t, dir, a, 1) }, func(dir string, a *authority) { writePair(t, dir, a, 2) }},
		{"moved over", func(dir string, a *authority) { writePair(t, dir, a, 1) }, func(dir string, a *authority) {
			next := t.TempDir()
			writePair(t, next, a, 2)
			must(os.Rename(filepath.Join(next, "key"), filepath.Join(dir, "key")))
			must(os.Rename(filepath.Join(next, "cert"), filepath.Join(dir, "cert")))
		}},
		{"as certbot does it", func(dir string, a *authority) {
			archive := t.TempDir()
			writePair(t, archive, a, 1)
			must(os.Symlink(filepath.Join(archive, "cert"), filepath.Join(dir, "cert")))
			must(os.Symlink(filepath.Join(archive, "key"), filepath.Join(dir, "key")))
		}, func(dir string, a *authority) {
			archive := t.TempDir()
			writePair(t, archive, a, 2)
			swap(filepath.Join(archive, "key"), filepath.Join(dir, "key"))
			swap(filepath.Join(archive, "cert"), filepath.Join(dir, "cert"))
		}},
		{"as Kubernetes does it", func(dir string, a *authority) {
			must(os.Mkdir(filepath.Join(dir, "..1"), 0o755))
			writePair(t, filepath.Join(dir, "..1"), a, 1)
			must(os.Symlink("..1", filepath.Join(dir, "..data")))
			must(os.Symlink("..data/cert", filepath.Join(dir, "cert")))
			must(os.Symlink("..data/key", filepath.Join(dir, "key")))
		}, func(dir string, a *authority) {
			must(os.Mkdir(filepath.Join(dir, "..2"), 0o755))
			writePair(t, filepath.Join(dir, "..2"), a, 2)
			swap("..2", filepath.Join(dir, "..data"))
			must(os.RemoveAll(filepath.Join(dir, "..1")))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, dir := newAuthority("test"), t.TempDir()
			test.prepare(dir, a)
			s := startWith(t, a, dir, "child", "echo")
			session := s.open()
			for range 3 {
				if got := s.serial(); got != 1 {
					t.Fatalf("at first it shows number %d", got)
				}
			}
			test.change(dir, a)
			for range 3 {
				if got := s.serial(); got != 2 {
					t.Fatalf("then it shows number %d", got)
				}
			}
			if err := echo(t.Context(), session, "still there"); err != nil {
				t.Error(err)
			}
			if n := strings.Count(s.log.text(), "the certificate was reloaded"); n != 1 || strings.Contains(s.log.text(), "level=error") {
				t.Errorf("it was read %d times", n)
			}
		})
	}
}

// What cannot be used leaves the certificate of before in place, and is told
// of once, until there is another.
func TestCertificateBreaks(t *testing.T) {
	a, dir := newAuthority("test"), t.TempDir()
	writePair(t, dir, a, 1)
	s := startWith(t, a, dir, "child", "echo")
	session := s.open()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	other, otherKey := a.issue(2, "127.0.0.1")
	errors := 0
	for _, step := range []struct {
		name string
		put  func() error
		want string // in the log
	}{
		{"half of it", func() error { return os.WriteFile(cert, other[:len(other)/2], 0o600) }, "there is no certificate in"},
		{"nothing", func() error { return os.WriteFile(cert, nil, 0o600) }, "there is no certificate in"},
		{"not the key's", func() error { return os.WriteFile(cert, other, 0o600) }, "private key does not match public key"},
		{"half the key", func() error { return os.WriteFile(key, otherKey[:len(otherKey)/2], 0o600) }, "there is no private key in"},
		{"no key", func() error { return os.Remove(key) }, "cannot read the private key in"},
		{"a directory", func() error { return os.Mkdir(key, 0o700) }, "cannot read the private key in"},
	} {
		if err := step.put(); err != nil {
			t.Fatal(err)
		}
		errors++
		for range 3 {
			if got := s.serial(); got != 1 {
				t.Fatalf("%s: it shows number %d", step.name, got)
			}
		}
		log := s.log.text()
		if n := strings.Count(log, "level=error"); n != errors || !strings.Contains(log[strings.LastIndex(log, "level=error"):], step.want) {
			t.Errorf("%s: %d errors in the log, want %d, the last with %q", step.name, n, errors, step.want)
		}
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	write(t, key, otherKey)
	for range 3 {
		if got := s.serial(); got != 2 {
			t.Errorf("mended, it shows number %d", got)
		}
	}
	if err := echo(t.Context(), session, "still there"); err != nil {
		t.Error(err)
	}
	if n := strings.Count(s.log.text(), "level=error"); n != errors {
		t.Errorf("%d errors in the log, want %d", n, errors)
	}
}

// A file that becomes readable shows no change and is used all the same.
func TestCertificateBecomesReadable(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		// Root reads everything: the server's faults test this as another user.
		return
	}
	a, dir := newAuthority("test"), t.TempDir()
	writePair(t, dir, a, 1)
	s := startWith(t, a, dir, "child", "echo")
	next := t.TempDir()
	writePair(t, next, a, 2)
	for _, name := range []string{"cert", "key"} {
		if err := os.Chmod(filepath.Join(next, name), 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(next, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.serial(); got != 1 {
		t.Errorf("unreadable, it shows number %d", got)
	}
	for _, name := range []string{"cert", "key"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.serial(); got != 2 {
		t.Errorf("readable, it shows number %d", got)
	}
}

// The authorities of clients are read again too, and hold for those who want
// to go on with a session of TLS that they had.
func TestAuthoritiesChange(t *testing.T) {
	a, dir := newAuthority("test"), t.TempDir()
	writePair(t, dir, a, 1)
	authorities := filepath.Join(dir, "authorities")
	write(t, authorities, a.pem())
	s := startWith(t, a, dir, "--sslca="+authorities, "child", "echo")
	cert, key := a.issue(3)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	s.config.Certificates = []tls.Certificate{pair}
	s.config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	get := func() error {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.config.Clone(), DisableKeepAlives: true}}
		resp, err := client.Get("https://" + s.addr + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	for range 2 {
		if err := get(); err != nil {
			t.Fatal(err)
		}
	}
	write(t, authorities, newAuthority("another").pem())
	if get() == nil {
		t.Error("an authority that is no more lets clients in")
	}
	write(t, authorities, a.pem())
	if err := get(); err != nil {
		t.Error(err)
	}
}
