package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A faultyServer is a wsbridge that a fault befalls.
type faultyServer struct {
	*testing.T
	mark    string // a variable that the server and its children have
	cmd     *exec.Cmd
	addr    string
	tls     *tlsFiles // nil: plain
	logPipe *os.File  // what the server's standard error is read from
	logged  *watched
	logEnds chan struct{}
	clients []*websocket.Conn
}

// newFaultyServer is one that is still to be started.
func newFaultyServer(t *testing.T) *faultyServer {
	return &faultyServer{T: t, mark: "WSBRIDGE_TEST_MARK=" + strconv.FormatInt(time.Now().UnixNano(), 36)}
}

func (s *faultyServer) start(first string, nobody bool, args []string) {
	args = append([]string{"--port=0", "--passenv=PATH," + s.mark}, args...)
	if first == "" {
		s.cmd = exec.Command("wsbridge", args...)
	} else {
		s.cmd = exec.Command("sh", append([]string{"-c", first + `; exec wsbridge "$@"`, "sh"}, args...)...)
	}
	reports, reporting, err := newReports()
	s.check(err)
	s.Cleanup(reports.close)
	s.cmd.Env = append(os.Environ(), reporting, s.mark, "GORACE=atexit_sleep_ms=0")
	if nobody {
		defer s.asNobody(s.cmd)()
	}
	r, w, err := os.Pipe()
	s.check(err)
	s.cmd.Stderr = w
	err = s.cmd.Start()
	w.Close()
	s.check(err)
	logged, logEnds := newWatched(), make(chan struct{})
	s.logPipe, s.logged, s.logEnds = r, logged, logEnds
	go func() {
		defer close(logEnds)
		for lines := bufio.NewReader(r); ; {
			line, err := lines.ReadBytes('\n')
			logged.Write(line)
			if err != nil {
				return
			}
		}
	}()
	s.Cleanup(func() {
		s.closeAll()
		for _, pid := range s.processes() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Wait()
		}
		r.Close()
		<-logEnds
		if s.Failed() {
			s.Logf("the server's log:\n%s", logged.text())
		}
	})
	place, ok := reports.listening()
	if !ok {
		s.Fatal("the server does not listen")
	}
	s.addr = place.Address
}

// asNobody lets a command of this test binary be run by a user who is not root.
func (s *faultyServer) asNobody(cmd *exec.Cmd) (started func()) {
	s.Helper()
	if os.Getuid() != 0 {
		return func() {}
	}
	// Who is nobody may not enter the directory of the test binary.
	self, err := os.Open("/proc/self/exe")
	s.check(err)
	cmd.Path, cmd.ExtraFiles = "/proc/self/fd/3", []*os.File{self}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534, NoSetGroups: true}}
	return func() { self.Close() }
}

func (s *faultyServer) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *faultyServer) until(what string, condition func() bool) {
	s.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("waited in vain until %s", what)
		}
	}
}

func (s *faultyServer) waitLog(re *regexp.Regexp) []string {
	s.Helper()
	m := s.logged.wait(re, s.logEnds)
	if m == nil {
		s.Fatalf("not in the log: %v", re)
	}
	return m
}

func (s *faultyServer) signal(sig syscall.Signal) {
	s.Helper()
	s.check(s.cmd.Process.Signal(sig))
}

// ends waits for the server's exit status, -1 for a signal.
func (s *faultyServer) ends(want int) {
	s.Helper()
	late := time.AfterFunc(patience, func() { _ = s.cmd.Process.Signal(syscall.SIGABRT) })
	defer late.Stop()
	_ = s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != want {
		s.Errorf("the server ended with %d (%v), want %d", got, s.cmd.ProcessState, want)
	}
}

// processes are those of the server and its children.
func (s *faultyServer) processes() (pids []int) {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	s.check(err)
	for _, file := range files {
		if env, err := os.ReadFile(file); err == nil && bytes.Contains(env, []byte(s.mark+"\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *faultyServer) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.Cleanup(cancel)
	return ctx
}

func (s *faultyServer) open(query string) *websocket.Conn {
	s.Helper()
	scheme, options := "ws://", new(websocket.DialOptions)
	if s.tls != nil {
		scheme, options.HTTPClient = "wss://", s.tls.client()
	}
	c, _, err := websocket.Dial(s.context(), scheme+s.addr+"/?"+query, options)
	s.check(err)
	s.clients = append(s.clients, c)
	return c
}

func (s *faultyServer) closeAll() {
	for _, c := range s.clients {
		_ = c.CloseNow()
	}
	s.clients = nil
}

func (s *faultyServer) wantMessage(c *websocket.Conn, want string) {
	s.Helper()
	_, got, err := c.Read(s.context())
	if err != nil || string(got) != want {
		s.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func (s *faultyServer) echoes(c *websocket.Conn) {
	s.Helper()
	s.check(echo(s.context(), c, "hello"))
}

// openUntilRefused opens sessions until one gets no child, and returns how
// many did and how the other was closed.
func (s *faultyServer) openUntilRefused() (opened int, end websocket.CloseError) {
	s.Helper()
	for range 100 {
		c := s.open("")
		err := echo(s.context(), c, "hello")
		if err == nil {
			opened++
			continue
		}
		end, _ = errors.AsType[websocket.CloseError](err)
		return opened, end
	}
	s.Fatal("nothing was refused")
	return
}

// stop ends the server and waits until it and its children are gone.
func (s *faultyServer) stop() {
	s.Helper()
	if s.cmd.ProcessState == nil {
		s.signal(syscall.SIGTERM)
		s.ends(0)
	}
	s.until("nothing is left", func() bool { return len(s.processes()) == 0 })
}

func (s *faultyServer) say(c *websocket.Conn, line string) {
	s.Helper()
	s.check(c.Write(s.context(), websocket.MessageText, []byte(line)))
}

func (s *faultyServer) serve(args ...string) {
	s.Helper()
	s.start("", false, args)
}

// wantClose reads until the server closes, and returns how many messages came.
func (s *faultyServer) wantClose(c *websocket.Conn, code websocket.StatusCode) (messages int) {
	s.Helper()
	for {
		_, _, err := c.Read(s.context())
		if err == nil {
			messages++
			continue
		}
		if websocket.CloseStatus(err) != code {
			s.Fatalf("after %d messages: %v, want close code %d", messages, err, code)
		}
		return messages
	}
}

func (s *faultyServer) onlyTheServerIsLeft() {
	s.Helper()
	s.until("the children are gone", func() bool { return len(s.processes()) == 1 && !s.hasZombies() })
}

func (s *faultyServer) hasZombies() bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, file := range files {
		if pids, _ := os.ReadFile(file); len(bytes.TrimSpace(pids)) > 0 {
			return true
		}
	}
	return false
}
