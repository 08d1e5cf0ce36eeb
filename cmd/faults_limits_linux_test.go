package cmd

import (
	"errors"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

func noMoreFiles(s *faultyServer) {
	witness := s.open("")
	s.echoes(witness)
	opened, end := s.openUntilRefused()
	if end.Code != websocket.StatusInternalError || end.Reason != "too many open files" {
		s.Errorf("after %d sessions: %v", opened, end)
	}
	// Now for connections that cannot even be accepted.
	var conns []net.Conn
	for range 48 {
		nc, err := net.Dial("tcp", s.addr)
		s.check(err)
		conns = append(conns, nc)
	}
	s.waitLog(regexp.MustCompile(`accept.*too many open files`))
	s.echoes(witness)
	for _, nc := range conns {
		nc.Close()
	}
	for _, c := range s.clients[1:] {
		_ = c.CloseNow()
	}
	s.until("all are gone", func() bool { return len(s.processes()) == 2 })
	s.echoes(witness)
	again, _ := s.openUntilRefused()
	if again != opened {
		s.Errorf("first %d sessions, then %d", opened, again)
	}
}

// A limit of processes is one of threads too, and Go's runtime gives up
// without a thread that it needs. Such a server is replaced by another.
func noMoreProcesses(s *faultyServer) {
	for range 10 {
		err := s.starve()
		if err == nil {
			return
		}
		select {
		case <-s.logEnds:
		case <-time.After(patience):
		}
		if !regexp.MustCompile("pthread_create failed|newosproc").MatchString(s.logged.text()) {
			s.Fatal(err)
		}
		s.closeAll()
		_ = s.cmd.Wait()
		s.start("", true, []string{"cat"})
	}
	s.Error("each server died for want of threads")
}

// starve takes from a server the right to start processes, and gives it back.
func (s *faultyServer) starve() error {
	var wg sync.WaitGroup
	for range 10 { // what it needs threads for, it shall have had before
		c := s.open("")
		wg.Go(func() {
			if err := echo(s.context(), c, "hello"); err != nil {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	s.closeAll()
	witness := s.open("")
	s.echoes(witness)
	s.until("all but one are gone", func() bool { return len(s.processes()) == 2 })

	before := s.prlimit("--nproc", "--output=SOFT", "--noheadings", "--raw")
	s.prlimit("--nproc=1:")
	for range 3 {
		c, _, err := websocket.Dial(s.context(), "ws://"+s.addr, nil)
		if err != nil {
			return err
		}
		_, _, err = c.Read(s.context())
		end, ok := errors.AsType[websocket.CloseError](err)
		if !ok {
			return err
		}
		if end.Code != websocket.StatusInternalError || end.Reason != "no room for another process" {
			s.Error(end)
		}
	}
	if err := echo(s.context(), witness, "hello"); err != nil {
		return err
	}
	s.prlimit("--nproc=" + before + ":")
	s.echoes(s.open(""))
	return nil
}

// prlimit asks for or sets a limit of the server. That is up to the server's
// user, or to a root with all of its capabilities.
func (s *faultyServer) prlimit(args ...string) string {
	s.Helper()
	prlimit := exec.Command("prlimit", append(args, "--pid", strconv.Itoa(s.cmd.Process.Pid))...)
	if s.cmd.SysProcAttr != nil {
		prlimit.SysProcAttr = &syscall.SysProcAttr{Credential: s.cmd.SysProcAttr.Credential}
	}
	out, err := prlimit.CombinedOutput()
	if err != nil {
		s.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}
