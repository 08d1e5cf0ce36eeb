package cmd

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// A consoleServer is a wsbridge with a console, which a test may stop and
// start again at the same port.
type consoleServer struct {
	testing.TB
	args   []string
	prefix []string // of the command line that starts it
	page   string   // http://127.0.0.1:PORT/

	cmd     *exec.Cmd
	reports *reports
	stderr  *watched
	done    chan struct{} // closed when Wait has returned
}

// serveConsole serves a command with these arguments until the test ends.
func serveConsole(t testing.TB, args ...string) *consoleServer {
	t.Helper()
	s := &consoleServer{TB: t, args: args}
	s.start("0")
	t.Cleanup(s.stop)
	return s
}

func (s *consoleServer) start(port string) {
	s.Helper()
	s.stderr, s.done = newWatched(), make(chan struct{})
	args := slices.Concat(s.prefix, []string{"wsbridge", "--port=" + port, "--devconsole"}, s.args)
	s.cmd = exec.Command(args[0], args[1:]...)
	// The race detector makes each process wait a second at its end.
	reports, reporting, err := newReports()
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(reports.close)
	s.reports = reports
	s.cmd.Env = append(os.Environ(), reporting, "GORACE=atexit_sleep_ms=0")
	s.cmd.Stderr = s.stderr
	if err := s.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(s.cmd, s.done)
	place, ok := reports.listening()
	if !ok {
		s.stop()
		s.Fatalf("the server does not listen:\n%s", s.stderr.text())
	}
	s.page = place.Page
}

func (s *consoleServer) restart() {
	s.Helper()
	s.start(strings.TrimSuffix(s.page[strings.LastIndex(s.page, ":")+1:], "/"))
}

// stop ends the server as SIGTERM does, or, where there is none, at once.
func (s *consoleServer) stop() {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		_ = s.cmd.Process.Kill()
	}
	select {
	case <-s.done:
	case <-time.After(patience):
		s.Error("the server does not end")
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}
