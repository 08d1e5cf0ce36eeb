package cmd

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

type interopServer struct {
	cmd  *exec.Cmd
	url  string // ws://127.0.0.1:PORT/, or wss
	page string // http://127.0.0.1:PORT/, or https

	exited chan struct{} // closed after err is set
	err    error
	output *watched
}

// interopServe starts wsbridge on a free port, with this test binary as its child (TestMain),
// and ends it with the test.
func interopServe(t *testing.T, flags []string, child ...string) *interopServer {
	t.Helper()
	program, err := exec.LookPath("child")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(interopPage), 0o644); err != nil {
		t.Fatal(err)
	}
	reports, reporting, err := newReports()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reports.close)
	args := slices.Concat(flags, []string{"--port=0", "--staticdir=" + dir, "--", program, interopChildArg}, child)
	s := &interopServer{cmd: exec.Command("wsbridge", args...), exited: make(chan struct{}), output: newWatched()}
	// The race detector makes each process wait a second at its end.
	s.cmd.Env = append(os.Environ(), reporting, "GORACE=atexit_sleep_ms=0")
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		<-s.exited
	})
	place, ok := reports.listening()
	if !ok {
		t.Fatalf("the server does not listen:\n%s", s.output.text())
	}
	s.url, s.page = place.URL, place.Page
	return s
}

func (s *interopServer) wait() error {
	select {
	case <-s.exited:
		return s.err
	case <-time.After(interopLimit):
		return errors.New("still running")
	}
}
