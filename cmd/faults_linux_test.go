package cmd

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

var floodOrEcho = []string{"sh", "-c", "case $QUERY_STRING in flood) exec yes " + strings.Repeat("y", 1000) + " ;; esac; exec cat"}

// serverFaults are what befalls a server. After each no process is left.
var serverFaults = []struct {
	name   string
	first  string // what a shell does before it becomes the server
	nobody bool   // root has no limit of processes, and may read every file
	tls    bool
	args   []string
	inject func(s *faultyServer)
}{
	{
		name:   "SIGTERM under load",
		args:   floodOrEcho,
		inject: termUnderLoad,
	}, {
		name:   "SIGTERM under load, over TLS",
		tls:    true,
		args:   floodOrEcho,
		inject: termUnderLoad,
	}, {
		name: "SIGINT twice",
		args: []string{"--closems=1000000", "sh", "-c", "trap '' INT TERM; echo ready; while :; do sleep 1000; done"},
		inject: func(s *faultyServer) {
			c := s.open("")
			s.wantMessage(c, "ready")
			s.signal(syscall.SIGINT)
			s.until("the port is closed", func() bool { // two signals at once would count as one
				nc, err := net.Dial("tcp", s.addr)
				if err == nil {
					nc.Close()
				}
				return err != nil
			})
			s.signal(syscall.SIGINT)
			s.ends(0)
		},
	}, {
		name:   "SIGHUP",
		args:   []string{"sh", "-c", "sleep 1000 & echo ready; exec cat"},
		inject: hangUp,
	}, {
		name:  "SIGHUP after nohup",
		first: "trap '' HUP",
		args:  []string{"cat"},
		inject: func(s *faultyServer) {
			c := s.open("")
			s.signal(syscall.SIGHUP)
			s.echoes(c)
		},
	}, {
		name: "SIGKILL",
		args: []string{"cat"},
		inject: func(s *faultyServer) {
			for range 5 {
				s.echoes(s.open(""))
			}
			s.signal(syscall.SIGKILL)
			s.ends(-1)
		},
	}, {
		name:   "no more files",
		first:  "ulimit -n 48",
		args:   []string{"--loglevel=debug", "cat"},
		inject: noMoreFiles,
	}, {
		name:   "no more processes",
		nobody: true,
		args:   []string{"cat"},
		inject: noMoreProcesses,
	}, {
		name: "the port is taken",
		args: []string{"cat"},
		inject: func(s *faultyServer) {
			c := s.open("")
			_, port, _ := net.SplitHostPort(s.addr)
			second := exec.Command("wsbridge", "--port="+port, "cat")
			out, err := second.CombinedOutput()
			if second.ProcessState.ExitCode() != 1 || !bytes.Contains(out, []byte("address already in use")) {
				s.Errorf("%v: %s", err, out)
			}
			s.echoes(c)
			s.echoes(s.open(""))
		},
	}, {
		name:   "the certificate is unreadable",
		nobody: true,
		tls:    true,
		args:   []string{"cat"},
		inject: certificateUnreadable,
	}, {
		name:   "nobody reads the log",
		args:   []string{"cat"},
		inject: nobodyReadsTheLog,
	},
}

func TestServerFaults(t *testing.T) {
	for _, f := range serverFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := newFaultyServer(t)
			if f.tls {
				f.args = append(s.secure(), f.args...)
			}
			s.start(f.first, f.nobody, f.args)
			f.inject(s)
			s.closeAll()
			s.stop()
		})
	}
}

// hangUp is what happens to a server whose terminal is closed. Its child's own
// children are no less ended than after SIGTERM.
func hangUp(s *faultyServer) {
	c := s.open("")
	s.wantMessage(c, "ready")
	s.signal(syscall.SIGHUP)
	if _, _, err := c.Read(s.context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		s.Error(err)
	}
	s.ends(0)
}

func termUnderLoad(s *faultyServer) {
	var wg sync.WaitGroup
	var loaded sync.WaitGroup
	ctx := s.context()
	load := func(once func() error) {
		loaded.Add(1)
		wg.Go(func() {
			var err error
			for n := 1; err == nil || n <= 10; n++ {
				err = once()
				if n == 10 {
					loaded.Done()
				}
			}
			if status := websocket.CloseStatus(err); status != websocket.StatusGoingAway {
				s.Error(err)
			}
		})
	}
	for range 2 {
		reader := s.open("flood")
		load(func() error {
			_, _, err := reader.Read(ctx)
			return err
		})
		s.open("flood") // is never read
	}
	for range 4 {
		c := s.open("")
		load(func() error { return echo(ctx, c, "hello") })
	}
	loaded.Wait()
	s.signal(syscall.SIGTERM)
	s.ends(0)
	wg.Wait()
}

// A server whose log nobody takes goes on without, and its children are not
// told: to them SIGPIPE is what it is to all programs.
func nobodyReadsTheLog(s *faultyServer) {
	c := s.open("")
	s.echoes(c)
	s.logPipe.Close()
	for range 3 {
		c := s.open("")
		s.echoes(c)
		s.check(c.Close(websocket.StatusNormalClosure, ""))
	}
	s.echoes(c)
	for _, pid := range s.processes() {
		if pid == s.cmd.Process.Pid {
			continue
		}
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		m := regexp.MustCompile(`(?m)^SigIgn:\s*([0-9a-f]+)$`).FindSubmatch(status)
		if m == nil {
			continue
		}
		if set, _ := strconv.ParseUint(string(m[1]), 16, 64); set&(1<<(syscall.SIGPIPE-1)) != 0 {
			s.Errorf("a child ignores SIGPIPE: %x", set)
		}
	}
}
