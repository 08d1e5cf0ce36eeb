package cmd

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A typist is somebody at a terminal of --pty.
type typist struct {
	*testing.T
	c        *websocket.Conn
	channels bool
	screen   []byte // what has come and was not yet looked at
	status   string // how the program ended, with channels
	code     websocket.StatusCode
}

// ptyServe serves a shell that reads no files of the user's.
func ptyServe(t *testing.T, flags ...string) environServer {
	t.Helper()
	inputrc := filepath.Join(t.TempDir(), "inputrc")
	if err := os.WriteFile(inputrc, []byte("set enable-bracketed-paste off\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return serveEnviron(t, "tcp", os.Environ(), append(append([]string{"--pty", "--passenv=PATH,PS1=" + ptyPrompt + ",INPUTRC=" + inputrc}, flags...), "bash", "--norc", "--noprofile")...)
}

// sit sits down at a terminal of a server.
func sit(t *testing.T, s environServer, query string) *typist {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws://"+s.where+"/"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	return &typist{T: t, c: c}
}

func (y *typist) send(channel byte, s string) {
	y.Helper()
	if y.channels {
		s = string([]byte{channel}) + s
	}
	if err := y.c.Write(y.Context(), websocket.MessageBinary, []byte(s)); err != nil {
		y.Error(err)
	}
}

// types types, and reads on until what is wanted is there.
func (y *typist) types(s, want string) {
	y.Helper()
	y.send(0, s)
	y.wants(want)
}

// wants reads until a pattern is there, and takes it and what is before it.
func (y *typist) wants(pattern string) {
	y.Helper()
	re := regexp.MustCompile(pattern)
	for {
		if at := re.FindIndex(y.screen); at != nil {
			y.screen = y.screen[at[1]:]
			return
		}
		if !y.read() {
			y.Fatalf("closed with %d before %q; there was %q", y.code, pattern, y.screen)
		}
	}
}

// read reads a message, unless the connection has ended.
func (y *typist) read() bool {
	y.Helper()
	ctx, cancel := context.WithTimeout(y.Context(), patience)
	defer cancel()
	_, m, err := y.c.Read(ctx)
	if err != nil {
		y.code = websocket.CloseStatus(err)
		return false
	}
	if y.channels {
		switch m[0] {
		case 1:
		case 3:
			y.status += string(m[1:])
			return true
		default:
			y.Fatalf("channel %d: %q", m[0], m)
		}
		m = m[1:]
	}
	y.screen = append(y.screen, m...)
	return true
}

const ptyPrompt = "prompt>"

// What a user does in a shell: its size, an interrupt, colours, the end.
func TestPty(t *testing.T) {
	s := ptyServe(t)
	y := sit(t, s, "?cols=132&rows=43")
	y.wants(ptyPrompt)
	y.types("stty size; echo $TERM; tty\r", "43 132\r\nxterm-256color\r\n/dev/pts/[0-9]+\r\n"+ptyPrompt)
	y.types("echo oops\x7f\x7f\x7f\x7fgot it >&2\r", "\r\ngot it\r\n"+ptyPrompt)
	y.types("sh -c 'echo runs; exec sleep 1000'\r", "\r\nruns\r\n")
	y.types("\x03", `\^C\r?\n`+ptyPrompt)
	y.types("echo $?\r", "\r\n130\r\n"+ptyPrompt)
	y.types("printf '\\e[38;2;1;2;3mcolour\\n'\r", "\x1b\\[38;2;1;2;3mcolour\r\n")
	y.types("sh -c 'echo runs; exec sleep 1000'\r", "\r\nruns\r\n")
	y.types("\x1a", `Stopped[^\n]*\n`+ptyPrompt)
	y.types("bg\r", ptyPrompt)
	y.types("jobs\r", `\[1\]\+ .*Running`)
	y.types("kill -9 %1; wait; exit 3\r", "exit\r\n")
	for y.read() {
	}
	if y.code != 4003 {
		t.Errorf("closed with %d", y.code)
	}
}

// The size is the client's or the flag's, and others are refused.
func TestPtySize(t *testing.T) {
	s := serveEnviron(t, "tcp", os.Environ(), "--pty", "--ptysize=100x30", "stty", "size")
	for query, want := range map[string]string{
		"":                   "30 100\r\n",
		"?rows=5":            "5 100\r\n",
		"?cols=7":            "30 7\r\n",
		"?a=b&cols=1000":     "30 1000\r\n",
		"?cols=0":            "400",
		"?cols=1001":         "400",
		"?rows=":             "400",
		"?rows=x":            "400",
		"?rows=-1":           "400",
		"?cols=80&cols=80":   "400",
		"?cols=80&rows=1e2":  "400",
		"?cols=80&rows=%205": "400",
	} {
		c, resp, err := websocket.Dial(t.Context(), "ws://"+s.where+"/"+query, nil)
		if err != nil {
			if resp == nil || fmt.Sprint(resp.StatusCode) != want || resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%q: %v", query, err)
			}
			continue
		}
		y := &typist{T: t, c: c}
		for y.read() {
		}
		if string(y.screen) != want || y.code != websocket.StatusNormalClosure {
			t.Errorf("%q: %q, closed with %d", query, y.screen, y.code)
		}
	}
	plain := sit(t, serveEnviron(t, "tcp", os.Environ(), "--pty", "--framing=lines", "stty", "size"), "")
	if plain.read(); string(plain.screen) != "24 80" {
		t.Errorf("with --framing=lines: %q", plain.screen)
	}
}

// With the framing channels a client resizes, and types the end of the input.
func TestPtyChannels(t *testing.T) {
	y := sit(t, ptyServe(t, "--framing=channels"), "?cols=80&rows=24")
	y.channels = true
	y.wants(ptyPrompt)
	y.types("stty size\r", "\r\n24 80\r\n"+ptyPrompt)
	y.send(4, `{"Width":120,"Height":40}`)
	y.types("stty size\r", "\r\n40 120\r\n"+ptyPrompt)
	y.types("sh -c 'echo error >&2; exit 3'\r", "\r\nerror\r\n"+ptyPrompt)
	y.send(255, "\x00")
	for y.read() {
	}
	if y.code != 4003 || !strings.Contains(y.status, `"status":"Failure","message":"exit status 3"`) {
		t.Errorf("closed with %d, status %s", y.code, y.status)
	}
}

// A client that leaves hangs up: the shell and all its jobs are gone, also those that it
// has disowned and that ignore the signal.
func TestPtyHangup(t *testing.T) {
	s := ptyServe(t)
	for _, leave := range []func(*websocket.Conn){
		func(c *websocket.Conn) { c.Close(websocket.StatusNormalClosure, "") },
		func(c *websocket.Conn) { c.CloseNow() },
	} {
		y := sit(t, s, "")
		y.wants(ptyPrompt)
		var pids []int
		for _, job := range []string{"sleep 1000 &", "sleep 1001 & disown", "nohup sleep 1002 >/dev/null 2>&1 & disown", "(trap '' HUP INT TERM; while :; do sleep 1; done) &"} {
			y.types(job+"\r", ptyPrompt)
			y.send(0, "echo pid=$!.\r")
			pids = append(pids, y.number("pid=([0-9]+)\\."))
		}
		y.send(0, "echo pid=$$.\r")
		pids = append(pids, y.number("pid=([0-9]+)\\."))
		leave(y.c)
		for _, pid := range pids {
			for begin := time.Now(); syscall.Kill(pid, 0) != syscall.ESRCH && !isZombie(pid); time.Sleep(time.Millisecond) {
				if time.Since(begin) > patience {
					t.Fatalf("process %d of %d is left", pid, pids)
				}
			}
		}
	}
}

// number is what a pattern has found.
func (y *typist) number(pattern string) int {
	y.Helper()
	re := regexp.MustCompile(pattern)
	for {
		if m := re.FindSubmatch(y.screen); m != nil {
			n, _ := strconv.Atoi(string(m[1]))
			y.screen = nil
			return n
		}
		if !y.read() {
			y.Fatalf("closed with %d before %q", y.code, pattern)
		}
	}
}

func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// A flood that is interrupted ends soon: little waits on the way to a client that is
// slower than the program, however long it has flooded.
func TestPtyFlood(t *testing.T) {
	y := sit(t, ptyServe(t), "")
	y.wants(ptyPrompt)
	y.send(0, "yes\r")
	for got := 0; got < 4<<20; y.screen = nil {
		if !y.read() {
			t.Fatal(y.code)
		}
		got += len(y.screen)
		time.Sleep(100 * time.Microsecond) // slower than yes
	}
	time.Sleep(300 * time.Millisecond) // all that can wait does
	y.send(0, "\x03")
	begin, rest := time.Now(), 0
	for prompt := regexp.MustCompile(ptyPrompt); !prompt.Match(y.screen); {
		if rest += len(y.screen); len(y.screen) > 100 {
			y.screen = y.screen[len(y.screen)-100:]
		}
		if !y.read() {
			t.Fatal(y.code)
		}
	}
	t.Logf("%d bytes and %s after the interrupt", rest, time.Since(begin))
	if rest > 1<<20 {
		t.Errorf("%d bytes were still to come", rest)
	}
}
