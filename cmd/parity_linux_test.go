package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"github.com/wsbridge/wsbridge/process/selfchild"
)

// failures are what makes users of websocketd fail, reproduced with it, and
// how the same goes here. After each no process is left.
var failures = []struct {
	websocketd string // what it does
	show       func(s *faultyServer)
}{
	{"clients see 1006 however the command ends, or when it cannot be started", closeTellsTheEnd},
	{"a command that does not read hides the client's end for good", deafCommand},
	{"a reset destroys what a command printed that leaves input unread", unreadInput},
	{"signals reach the direct child only; a server that ends leaves all", wholeGroup},
	{"who holds the output keeps the session, and a zombie", heldOutput},
	{"a last line without a newline is lost; a line without an end takes all memory", lineWithoutEnd},
	{"output that is not UTF-8 makes strict clients drop the connection", notUTF8},
	{"a line of errors over 4,095 bytes stops their reader, and then the command", longErrors},
	{"--pingms drops healthy clients of a slow command", slowCommand},
	{"at SIGTERM clients get a bare end of file", endOfServer},
	{"--binary reserves 10 MB a connection and cuts messages into small frames", binaryFrames},
	{"a normal end is logged as an error", quietLog},
}

func TestWhereWebsocketdFails(t *testing.T) {
	for i, f := range failures {
		t.Run(fmt.Sprintf("%d/%s", i+1, f.websocketd), func(t *testing.T) {
			t.Parallel()
			s := newFaultyServer(t)
			f.show(s)
			s.closeAll()
			s.stop()
		})
	}
}

func closeTellsTheEnd(s *faultyServer) {
	script := filepath.Join(s.TempDir(), "script")
	s.check(os.WriteFile(script, []byte("#!/bin/sh\nexec sh\n"), 0o755))
	s.serve(script)
	for last, code := range map[string]websocket.StatusCode{"exit": 1000, "exit 3": 4003, "kill -9 $$": 4137} {
		c := s.open("")
		s.say(c, last)
		s.wantClose(c, code)
	}
	s.check(os.Remove(script))
	s.wantClose(s.open(""), websocket.StatusInternalError)
}

func deafCommand(s *faultyServer) {
	s.serve("sleep", "1000")
	c := s.open("")
	for range 70 {
		s.say(c, strings.Repeat("x", 1000))
	}
	s.check(c.Close(websocket.StatusNormalClosure, ""))
	s.onlyTheServerIsLeft()
}

func unreadInput(s *faultyServer) {
	s.serve("sh", "-c", "read line; seq 20000")
	c := s.open("")
	s.say(c, "go")
	for range 2 { // more than a pipe takes
		s.say(c, strings.Repeat("x", 50_000))
	}
	if n := s.wantClose(c, 1000); n != 20_000 {
		s.Errorf("%d lines of 20000 have come", n)
	}
}

func wholeGroup(s *faultyServer) {
	s.serve("sh")
	jobs := []string{"sleep 1000 & echo ready; wait", "echo ready; sleep 1000 | cat"}
	for _, job := range jobs {
		for _, end := range []func(*websocket.Conn){
			func(c *websocket.Conn) { s.check(c.Close(websocket.StatusNormalClosure, "")) },
			func(c *websocket.Conn) { s.check(c.CloseNow()) },
		} {
			c := s.open("")
			s.say(c, job)
			s.wantMessage(c, "ready")
			end(c)
			s.onlyTheServerIsLeft()
		}
	}
	for _, job := range jobs {
		c := s.open("")
		s.say(c, job)
		s.wantMessage(c, "ready")
	}
	s.stop()

	// Killed, it takes with it what it has started itself.
	s.serve("sleep", "1000")
	s.open("")
	s.until("the command runs", func() bool { return len(s.processes()) == 2 })
	s.signal(syscall.SIGKILL)
	s.ends(-1)
}

func heldOutput(s *faultyServer) {
	s.serve("sh")
	c := s.open("")
	s.say(c, "sleep 1000 & echo done; exit")
	s.wantMessage(c, "done")
	s.wantClose(c, 1000)
	s.onlyTheServerIsLeft()

	// What has left the group lives on, but holds nothing up.
	c = s.open("")
	s.say(c, "setsid sleep 1000 & exit")
	s.wantClose(c, 1000)
	s.until("the session has ended", func() bool { return !s.hasZombies() })
	for _, pid := range s.processes() {
		if pid != s.cmd.Process.Pid {
			s.check(syscall.Kill(pid, syscall.SIGKILL))
		}
	}
}

func lineWithoutEnd(s *faultyServer) {
	const size = 100_000_000
	s.serve("sh")
	c := s.open("")
	c.SetReadLimit(-1)
	s.say(c, `printf 'one\ntwo'; exit`)
	s.wantMessage(c, "one")
	s.wantMessage(c, "two")
	s.wantClose(c, 1000)

	before := s.kib("VmHWM")
	c = s.open("")
	c.SetReadLimit(-1)
	s.say(c, fmt.Sprintf("exec head -c %d /dev/zero", size))
	_, r, err := c.Reader(s.context())
	s.check(err)
	n, err := io.Copy(io.Discard, r)
	if n != size || err != nil {
		s.Errorf("%d bytes, %v", n, err)
	}
	s.wantClose(c, 1000)
	limit := size / 1024 / 4
	if selfchild.Race() {
		limit *= 2 // the race detector remembers each byte's last readers and writers
	}
	if grown := s.kib("VmHWM") - before; grown > limit {
		s.Errorf("the server has grown by %d KiB, over %d", grown, limit)
	}
}

func notUTF8(s *faultyServer) {
	s.serve("sh")
	c := s.open("")
	s.say(c, `printf 'a\377b\n\303\n'`)
	s.wantMessage(c, "a\ufffdb")
	s.wantMessage(c, "\ufffd")
	s.say(c, "echo and on")
	s.wantMessage(c, "and on")
}

func longErrors(s *faultyServer) {
	s.serve("sh")
	c := s.open("")
	for range 2 { // each more than a pipe takes
		s.say(c, "head -c 100000 /dev/zero >&2; echo >&2; echo done")
		s.wantMessage(c, "done")
	}
}

func slowCommand(s *faultyServer) {
	// To miss two pings takes a client, or a machine, that is that slow.
	const interval = 1000
	fifo := filepath.Join(s.TempDir(), "fifo")
	s.check(syscall.Mkfifo(fifo, 0o600))
	s.serve("--pingms="+strconv.Itoa(interval), "sh", "-c", `cat "$0"; echo alive`, fifo)
	pings := make(chan struct{}, 100)
	c, _, err := websocket.Dial(s.context(), "ws://"+s.addr, &websocket.DialOptions{
		OnPingReceived: func(context.Context, []byte) bool { pings <- struct{}{}; return true },
	})
	s.check(err)
	s.clients = append(s.clients, c)
	go func() {
		for range 3 {
			<-pings
		}
		_ = os.WriteFile(fifo, nil, 0o600)
	}()
	for range 70 {
		s.say(c, strings.Repeat("x", 1000))
	}
	s.wantMessage(c, "alive")
	s.wantClose(c, 1000)
}

func endOfServer(s *faultyServer) {
	s.serve("cat")
	c := s.open("")
	s.echoes(c)
	s.signal(syscall.SIGTERM)
	s.wantClose(c, websocket.StatusGoingAway)
	s.ends(0)
}

func binaryFrames(s *faultyServer) {
	const conns = 50
	const size = 32 << 10 // less than a pipe takes
	s.serve("--binary", "dd", "if=/dev/zero", "bs="+strconv.Itoa(size), "count=1", "status=none")
	w := dial(s.T, s.addr)
	w.say(upgrade + "\r\n")
	if status, text := w.answer("GET"); status != 101 {
		s.Fatal(text)
	}
	sum := 0
	for {
		first, payload := w.frame()
		if first == 0x88 {
			break
		}
		if first != 0x82 || len(payload) == 0 {
			s.Errorf("a frame that begins with %#x and has %d bytes", first, len(payload))
		}
		sum += len(payload)
	}
	if sum != size {
		s.Errorf("%d bytes, want %d", sum, size)
	}
	w.Close()
	s.stop()

	s.serve("--binary", "cat")
	for range conns { // what a first crowd takes, it takes once
		s.echoes(s.open(""))
	}
	before := s.kib("VmData")
	for range conns {
		s.echoes(s.open(""))
	}
	if each := (s.kib("VmData") - before) / conns; each > 1024 {
		s.Errorf("a connection takes %d KiB", each)
	}
}

func quietLog(s *faultyServer) {
	s.serve("--loglevel=debug", "sh")
	s.check(s.open("").Close(websocket.StatusNormalClosure, ""))
	c := s.open("")
	s.say(c, "exit")
	s.wantClose(c, 1000)
	s.check(s.open("").CloseNow()) // a page that was left
	s.closeAll()
	s.stop()
	<-s.logEnds
	if m := regexp.MustCompile(`.*level=(error|fatal).*`).FindString(s.logged.text()); m != "" {
		s.Error(m)
	}
}

// kib is a number of KiB in the server's /proc/PID/status.
func (s *faultyServer) kib(key string) int {
	s.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	s.check(err)
	m := regexp.MustCompile(key + `:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		s.Fatalf("no %s in %s", key, status)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}
