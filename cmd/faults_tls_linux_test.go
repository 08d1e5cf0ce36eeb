package cmd

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// tlsFiles are a server's certificate and key, which another user can read.
type tlsFiles struct {
	authority *authority
	dir       string
	serial    int64 // of the certificate that was written last
}

// secure gives a server TLS by the flags that it returns.
func (s *faultyServer) secure() []string {
	dir, err := os.MkdirTemp("", "wsbridge-test") // TempDir's is for its owner only
	s.check(err)
	s.Cleanup(func() { os.RemoveAll(dir) })
	s.check(os.Chmod(dir, 0o755))
	s.tls = &tlsFiles{authority: newAuthority("test"), dir: dir}
	s.check(s.tls.renew(0o644))
	return []string{"--ssl", "--sslcert=" + filepath.Join(dir, "cert"), "--sslkey=" + filepath.Join(dir, "key")}
}

func (f *tlsFiles) client() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: f.authority.pool()}, DisableKeepAlives: true}}
}

// renew moves a new certificate and its key, with a mode, over those that are
// there.
func (f *tlsFiles) renew(mode os.FileMode) error {
	f.serial++
	cert, key := f.authority.issue(f.serial, "127.0.0.1")
	for name, b := range map[string][]byte{"cert": cert, "key": key} {
		name = filepath.Join(f.dir, name)
		if err := os.WriteFile(name+".new", b, 0o644); err != nil {
			return err
		}
		if err := os.Chmod(name+".new", mode); err != nil {
			return err
		}
		if err := os.Rename(name+".new", name); err != nil {
			return err
		}
	}
	return nil
}

// A server whose new certificate it may not read goes on with the old one, and
// takes the new one when it may. Another does not start with it.
func certificateUnreadable(s *faultyServer) {
	shows := func(serial int64) {
		s.Helper()
		c, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: s.tls.authority.pool()})
		s.check(err)
		defer c.Close()
		if got := c.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); got != serial {
			s.Errorf("it shows certificate %d, want %d", got, serial)
		}
	}
	witness := s.open("")
	s.echoes(witness)
	s.check(s.tls.renew(0))
	for range 3 {
		shows(1)
		s.echoes(s.open(""))
	}
	s.waitLog(regexp.MustCompile("level=error.*permission denied"))
	if n := strings.Count(s.logged.text(), "level=error"); n != 1 {
		s.Errorf("%d errors in the log", n)
	}

	second := exec.Command("wsbridge", s.cmd.Args[1:]...)
	second.Env = s.cmd.Env
	defer s.asNobody(second)()
	out, _ := second.CombinedOutput()
	if second.ProcessState.ExitCode() != 1 || bytes.Contains(out, []byte("listening")) ||
		!bytes.Contains(out, []byte("permission denied\nthe user who runs wsbridge must be allowed to read it\n")) {
		s.Errorf("%v: %s", second.ProcessState, out)
	}

	for _, name := range []string{"cert", "key"} {
		s.check(os.Chmod(filepath.Join(s.tls.dir, name), 0o644))
	}
	shows(2)
	s.echoes(witness)
}
