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

// TestChat is about the file of the room, without a browser.
func TestChat(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	room := filepath.Join(t.TempDir(), "room")
	var lines []string
	for i := range 400 {
		lines = append(lines, fmt.Sprintf(`[%d, "id", "Ann", "%d"]`, i+1, i))
	}
	appendLines(t, room, lines...)
	s := start(t, nil, "chat/chat.py", room)
	one, other := s.dial(t, ""), s.dial(t, "")
	for _, c := range []*client{one, other} {
		c.read() // its id
		for _, want := range lines[350:] {
			c.want(want)
		}
	}
	// A line of the visitor's cannot be two, or another's.
	one.send("A\tnn\nforged\r[1, \"id\", \"Bob\", \"x\"]\n\n")
	for _, c := range []*client{one, other} {
		if got := c.read(); !strings.HasSuffix(got, `, "A nn", "forged [1, \"id\", \"Bob\", \"x\"]"]`) {
			t.Errorf("got %s", got)
		}
	}
	text, err := os.ReadFile(room)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n != 200 {
		t.Errorf("the room has %d lines, want the last 200", n)
	}
	// Many speak at once, and each hears each line once.
	const each = 8
	other.send("Bob")
	for i := range each {
		one.send(fmt.Sprint("one ", i))
		other.send(fmt.Sprint("other ", i))
	}
	heard := map[*client]string{}
	for _, c := range []*client{one, other} {
		for range 2 * each {
			heard[c] += c.read() + "\n"
		}
	}
	if heard[one] != heard[other] {
		t.Errorf("one has heard\n%sand the other\n%s", heard[one], heard[other])
	}
	one.close()
	other.close()
	s.wantChildren(0)

	// A file that is no room stays as it is.
	if err := os.WriteFile(room, []byte("precious\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, closed := s.dial(t, "").rest(); closed.Code != 4001 {
		t.Errorf("with a file that is no room: %v, want 4001", closed)
	}
	if text, _ := os.ReadFile(room); string(text) != "precious\n" {
		t.Errorf("the file is now %q", text)
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
	commands := regexp.MustCompile(`(?m)^ *wsbridge (--staticdir=examples/(dashboard|log|chat) [^#\n]*)`)
	for _, name := range []string{"README.md", "../man/wsbridge-pages.7.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := commands.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\\\n", ""), -1)
		if len(found) != 3 {
			t.Fatalf("%s has the commands %q, want one for each of the three", name, found)
		}
		for _, command := range found {
			line := regexp.MustCompile(`/tmp/|/var/log/`).ReplaceAllString(command[1], t.TempDir()+"/")
			s := start(t, nil, strings.Fields(strings.ReplaceAll(line, "examples/", ""))...)
			s.page(command[2] + "/index.html")
			c := s.dial(t, "")
			if command[2] == "log" {
				c.send("")
			}
			c.read()
			c.close()
		}
	}
}

// TestConnections: a reader who knows how one page connects knows it of all.
func TestConnections(t *testing.T) {
	parts := map[string]bool{}
	for _, name := range []string{"dashboard", "log", "chat"} {
		text, err := os.ReadFile(filepath.Join(name, "index.html"))
		if err != nil {
			t.Fatal(err)
		}
		_, part, found := strings.Cut(string(text), "  // The connection: ")
		part, _, ended := strings.Cut(part, "onclick = connect;")
		if !found || !ended {
			t.Fatalf("%s: the part about the connection is not where it was", name)
		}
		parts[part] = true
	}
	if len(parts) != 1 {
		t.Errorf("the pages connect in %d ways", len(parts))
	}
}

// The examples to put to work stay short enough to be read at once.
func TestShort(t *testing.T) {
	for _, script := range []string{"dashboard/vmstat.sh", "log/follow.py", "chat/chat.py"} {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n >= 30 {
			t.Errorf("%s has %d lines, want under 30", script, n)
		}
	}
}
