//go:build unix

package examples

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A server is a running wsbridge. It is stopped at the test's end.
type server struct {
	t    *testing.T
	args []string
	cmd  *exec.Cmd
	url  string // ws://127.0.0.1:PORT/

	// mark is a directory in the server's PATH and so in that of all its
	// descendants, by which they are known.
	mark string

	terminate func()        // sends SIGTERM, once
	ended     chan struct{} // closed when stderr has ended
	stderr    bytes.Buffer  // complete when ended is closed
}

// start runs wsbridge with these arguments and waits until it listens. A path
// that is nil stands for the test's own.
func start(t *testing.T, path []string, args ...string) *server {
	t.Helper()
	if path == nil {
		path = []string{os.Getenv("PATH")}
	}
	s := &server{t: t, args: args, mark: t.TempDir(), ended: make(chan struct{})}
	s.cmd = exec.Command(wsbridge, append([]string{"--port=0"}, args...)...)
	s.cmd.Env = []string{"PATH=" + strings.Join(append([]string{s.mark}, path...), string(filepath.ListSeparator))}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.terminate = sync.OnceFunc(func() {
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("the server is gone before its end: %v", err)
		}
	})
	t.Cleanup(s.stop)

	url := make(chan string, 1)
	go s.log(stderr, url)
	select {
	case s.url = <-url:
	case <-s.ended:
		t.Fatal("wsbridge has ended without listening")
	case <-time.After(limit):
		t.Fatal("wsbridge does not say where it listens")
	}
	return s
}

// log keeps what the server says and picks out where it listens.
func (s *server) log(stderr io.Reader, url chan<- string) {
	defer close(s.ended)
	listening := regexp.MustCompile(`listening on (ws://\S+)`)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		s.stderr.WriteString(lines.Text() + "\n")
		if found := listening.FindStringSubmatch(lines.Text()); found != nil && url != nil {
			url <- found[1]
			url = nil
		}
	}
}

// stop ends the server, which must exit with 0 and leave nothing behind.
func (s *server) stop() {
	s.terminate()
	select {
	case <-s.ended:
	case <-time.After(limit):
		s.t.Error("the server does not end after SIGTERM")
		s.cmd.Process.Kill()
		<-s.ended
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the server's end: %v, want exit status 0", err)
	}
	var left []int
	if !eventually(func() bool { left = s.processes(0); return len(left) == 0 }) {
		s.t.Errorf("the server has left behind the processes %v", left)
	}
	if s.t.Failed() {
		s.t.Logf("wsbridge %q said:\n%s", s.args, s.stderr.Bytes())
	}
}

// wantChildren waits until the server has n children. It knows on Linux only.
func (s *server) wantChildren(n int) {
	s.t.Helper()
	var children []int
	if runtime.GOOS == "linux" && !eventually(func() bool {
		children = s.processes(s.cmd.Process.Pid)
		return len(children) == n
	}) {
		s.t.Errorf("the server has the children %v, want %d of them", children, n)
	}
}

// processes lists the processes that carry the server's mark: the children of
// one parent, or all of them if that is 0. It is empty where there is no /proc.
func (s *server) processes(parent int) []int {
	var pids []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		// A process that ends meanwhile has no files, or empty ones.
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // state, parent, …
		if !bytes.Contains(environ, []byte(s.mark)) || len(fields) < 2 {
			continue
		}
		if parent == 0 || fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			pids = append(pids, pid)
		}
	}
	return pids
}

// page asserts that the server's / is this file.
func (s *server) page(file string) {
	s.t.Helper()
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	client := http.Client{Timeout: limit}
	resp, err := client.Get("http" + strings.TrimPrefix(s.url, "ws"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || !bytes.Equal(got, want) {
		s.t.Errorf("GET /: %s, %s, %d bytes; want %s", resp.Status, resp.Header.Get("Content-Type"), len(got), file)
	}
}

// A client is a connection to a server; what goes wrong with it fails its test.
type client struct {
	t    *testing.T
	ctx  context.Context
	conn *websocket.Conn
}

// dial connects to the server's / with this query ("?a=b", or nothing).
func (s *server) dial(t *testing.T, query string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	conn, _, err := websocket.Dial(ctx, s.url+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(1 << 20)
	return &client{t, ctx, conn}
}

func (c *client) send(line string) {
	c.t.Helper()
	if err := c.conn.Write(c.ctx, websocket.MessageText, []byte(line)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) read() string {
	c.t.Helper()
	kind, line, err := c.conn.Read(c.ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != websocket.MessageText {
		c.t.Errorf("got a %v, want text", kind)
	}
	return string(line)
}

func (c *client) want(line string) {
	c.t.Helper()
	if got := c.read(); got != line {
		c.t.Fatalf("got %.80q, want %.80q", got, line)
	}
}

// rest reads until the server closes, and returns the messages and the close.
func (c *client) rest() ([]string, websocket.CloseError) {
	c.t.Helper()
	var lines []string
	for {
		_, line, err := c.conn.Read(c.ctx)
		if err != nil {
			closed, ok := errors.AsType[websocket.CloseError](err)
			if !ok {
				c.t.Fatalf("after %d messages: %v, want a close", len(lines), err)
			}
			return lines, closed
		}
		lines = append(lines, string(line))
	}
}

func (c *client) close() {
	c.t.Helper()
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		c.t.Error(err)
	}
}

// eventually waits until the condition holds, and tells whether it did.
func eventually(condition func() bool) bool {
	for end := time.Now().Add(limit); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}
