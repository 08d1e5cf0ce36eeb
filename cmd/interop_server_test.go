package cmd_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

func interopBuild(t *testing.T) []string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "wsbridge")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/wsbridge/wsbridge")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return []string{binary}
}

type interopServer struct {
	cmd  *exec.Cmd
	url  string // ws://127.0.0.1:PORT/, or wss
	page string // http://127.0.0.1:PORT/, or https

	exited chan struct{} // closed after exitErr is set
	err    error

	mu     sync.Mutex
	stderr bytes.Buffer
}

var interopListening = regexp.MustCompile(`listening on (ws(s?://127\.0\.0\.1:\d+/))`)

// interopServe starts the binary on a free port, with this test binary as
// its child, and ends it with the test.
func interopServe(t *testing.T, binary []string, child ...string) *interopServer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(interopPage), 0o644); err != nil {
		t.Fatal(err)
	}
	args := slices.Concat(binary[1:], []string{"--port=0", "--staticdir=" + dir, "--", self, interopChildArg}, child)
	s := &interopServer{cmd: exec.Command(binary[0], args...), exited: make(chan struct{})}
	out, in := io.Pipe()
	s.cmd.Stderr = in
	s.cmd.Stdout = in
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		in.Close()
		close(s.exited)
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		<-s.exited
	})
	listening := make(chan []string, 1)
	go func() {
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			s.mu.Lock()
			s.stderr.WriteString(line)
			s.mu.Unlock()
			if m := interopListening.FindStringSubmatch(line); m != nil {
				listening <- m
			}
			if err != nil {
				return
			}
		}
	}()
	select {
	case m := <-listening:
		s.url, s.page = m[1], "http"+m[2]
	case <-s.exited:
		t.Fatalf("the server ended at its start: %v\n%s", s.err, s.log())
	case <-time.After(interopLimit):
		t.Fatalf("the server does not say where it listens:\n%s", s.log())
	}
	return s
}

func (s *interopServer) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

func (s *interopServer) wait() error {
	select {
	case <-s.exited:
		return s.err
	case <-time.After(interopLimit):
		return errors.New("still running")
	}
}
