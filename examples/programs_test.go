//go:build unix

package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestChat is about the program of the rooms, without a browser.
func TestChat(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	s := start(t, nil, "--share=url", "--keep=1m", "--replay=50", "chat/chat.py")
	one, other, elsewhere := s.dial(t, "?a"), s.dial(t, "?a"), s.dial(t, "?b")
	elsewhere.send(`["id", "Eve", "in another room"]`)
	if got := elsewhere.read(); !strings.HasSuffix(got, `, "id", "Eve", "in another room"]`) {
		t.Errorf("the other room: %s", got)
	}
	// A line of the visitor's cannot be two, or another's.
	one.send("[\"id\", \"A\\tnn\", \"forged\\r\\n[1, \\\"id\\\", \\\"Bob\\\", \\\"x\\\"]\"]")
	for _, c := range []*client{one, other} {
		if got := c.read(); !strings.HasSuffix(got, `, "id", "A nn", "forged [1, \"id\", \"Bob\", \"x\"]"]`) {
			t.Errorf("got %s", got)
		}
	}
	// What is no message of a page's is a text; what says nothing is not passed on.
	for _, line := range []string{"", `["id", "", "x"]`, `["id", "Ann", " "]`, `[1, 2]`, `{"a": 1}`, "[", `["id", "Ann", ["a"]]`} {
		one.send(line)
	}
	for _, want := range []string{`"", "nobody", "[1, 2]"]`, `"", "nobody", "{\"a\": 1}"]`, `"", "nobody", "["]`, `"id", "Ann", "['a']"]`} {
		for _, c := range []*client{one, other} {
			if got := c.read(); !strings.HasSuffix(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
	// Many speak at once, and all hear each line once, in one order and with rising times.
	const each = 20
	for i := range each {
		one.send(fmt.Sprintf(`["1", "Ann", "one %d"]`, i))
		other.send(fmt.Sprintf(`["2", "Bob", "other %d"]`, i))
	}
	heard := map[*client]string{}
	for _, c := range []*client{one, other} {
		last := 0
		for range 2 * each {
			line := c.read()
			var at int
			if _, err := fmt.Sscanf(line, "[%d,", &at); err != nil || at <= last {
				t.Errorf("%s after %d: %v", line, last, err)
			}
			last = at
			heard[c] += line + "\n"
		}
	}
	if heard[one] != heard[other] {
		t.Errorf("one has heard\n%sand the other\n%s", heard[one], heard[other])
	}
	one.close()
	other.close()
	elsewhere.close()
	s.wantChildren(2) // for a minute
	if got := s.dial(t, "?b").read(); !strings.HasSuffix(got, `"in another room"]`) {
		t.Errorf("whoever comes later hears %s", got)
	}
}

// TestLog is about the end of what follows the log.
func TestLog(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	path := filepath.Join(t.TempDir(), "log")
	appendLines(t, path, "Straße", "plain")
	s := start(t, nil, "--staticdir=log", "log/follow.py", path)
	s.page("log/index.html")
	c := s.dial(t, "")
	c.send("STRASSE")
	c.want("?strasse")
	c.want("|Straße")
	c.close()
	s.wantChildren(0)
	if runtime.GOOS == "linux" && !eventually(func() bool { return len(s.processes(0)) == 1 }) {
		t.Errorf("after the session: the processes %v", s.processes(0))
	}
	c = s.dial(t, "")
	c.send("")
	c.want("?")
	s.terminate()
	if _, closed := c.rest(); closed.Code != websocket.StatusGoingAway {
		t.Errorf("at the server's end: %v, want close code 1001", closed)
	}
}

func appendLines(t *testing.T, path string, lines ...string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
		t.Fatal(err)
	}
}

// TestQuickCommands runs the commands that the texts have for the examples
// with a page to put to work, with a port and files of its own.
func TestQuickCommands(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the dashboard shows numbers of Linux")
	}
	need(t, "python3")
	commands := regexp.MustCompile(`(?m)^ *wsbridge (--staticdir=examples/(dashboard|log|chat|job) [^#\n]*)`)
	for _, name := range []string{"README.md", "../man/wsbridge-pages.7.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := commands.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\\\n", ""), -1)
		if len(found) != 4 {
			t.Fatalf("%s has the commands %q, want one for each of the four", name, found)
		}
		for _, command := range found {
			line := regexp.MustCompile(`/tmp/|/var/log/`).ReplaceAllString(command[1], t.TempDir()+"/")
			s := start(t, nil, strings.Fields(strings.ReplaceAll(line, "examples/", ""))...)
			s.page(command[2] + "/index.html")
			c := s.dial(t, "")
			if command[2] != "dashboard" {
				c.send("something")
			}
			c.read()
			c.close()
		}
	}
}

// TestConnections: a reader who knows how one page connects knows it of all.
func TestConnections(t *testing.T) {
	parts := map[string]bool{}
	for _, name := range []string{"dashboard", "log", "chat", "lsp", "mcp"} {
		text, err := os.ReadFile(filepath.Join(name, "index.html"))
		if err != nil {
			t.Fatal(err)
		}
		_, part, found := strings.Cut(string(text), "  // The connection: ")
		part, _, ended := strings.Cut(part, "onclick = connect;")
		if !found || !ended {
			t.Fatalf("%s: the part about the connection is not where it was", name)
		}
		parts[strings.Replace(part, "`, 'mcp')", "`)", 1)] = true
	}
	if len(parts) != 1 {
		t.Errorf("the pages connect in %d ways", len(parts))
	}
}

// The examples to put to work stay short enough to be read at once.
func TestShort(t *testing.T) {
	for _, script := range []string{"dashboard/vmstat.sh", "log/follow.py", "chat/chat.py", "job/job.sh", "mcp/server.py"} {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n >= 30 {
			t.Errorf("%s has %d lines, want under 30", script, n)
		}
	}
}
