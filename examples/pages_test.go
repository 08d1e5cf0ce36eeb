//go:build unix

package examples

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

// TestPages does in a browser what the visitors of the three larger examples
// do: they see what comes, type, lose the connection and get it back.
func TestPages(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the children that the test kills are found on Linux only")
	}
	browser := startBrowser(t)
	for name, run := range map[string]func(*testing.T, context.Context){
		"dashboard": dashboardPage,
		"log":       logPage,
		"chat":      chatPage,
		"endings":   endings,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, browser)
		})
	}
}

func dashboardPage(t *testing.T, browser context.Context) {
	s := start(t, nil, "--staticdir=dashboard", "dashboard/vmstat.sh")
	p := s.open(t, browser, "", 360, 700)
	const data = `/^\d+ %%$/.test(document.querySelector('#cpu .value').textContent)`
	p.until(data)
	p.until(`document.querySelectorAll('#tiles section:not([hidden])').length >= 1`)
	// Something is drawn, and nothing is wider than a phone.
	p.until(`(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean))(document.querySelector('#cpu canvas'))`)
	narrow(p)

	before := p.ask(`(window.before = samples.length) > 0`)
	killed(p, s)
	p.until(`samples.length > before`)
	if !before {
		t.Error("there were no samples")
	}
}

// narrow asserts that the page fits into its window, and that what a visitor
// can use has a name.
func narrow(p *tab) {
	p.t.Helper()
	if !p.ask(`document.documentElement.scrollWidth <= innerWidth`) {
		p.t.Error("the page is wider than its window")
	}
	if !p.ask(`[...document.querySelectorAll('input, canvas, ol')].every(e => e.ariaLabel)`) {
		p.t.Error("some of what is on the page has no label")
	}
}

// killed kills the program of the page, which tells so and comes back.
func killed(p *tab, s *server) {
	p.t.Helper()
	s.wantChildren(1)
	for _, pid := range s.processes(s.cmd.Process.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			p.t.Fatal(err)
		}
	}
	p.until(`document.querySelector('#words').textContent === 'The program was ended by signal 9 (killed) (close code 4137)'`)
	p.until(`document.querySelector('#words').textContent === 'Connected'`)
	s.wantChildren(1)
}

func logPage(t *testing.T, browser context.Context) {
	need(t, "python3")
	path := filepath.Join(t.TempDir(), "log")
	appendLines(t, path, "one", "Two <b>bold</b>", "three")
	s := start(t, nil, "--staticdir=log", "log/follow.py", path)
	p := s.open(t, browser, "", 360, 700)
	p.untilLines("#lines li", "one", "Two <b>bold</b>", "three")
	appendLines(t, path, "four: error")
	p.untilLines("#lines li.bad", "four: error")
	narrow(p)

	// A filter is a text, whatever it would be to a shell or to grep.
	p.write("#filter", "two <B>")
	p.untilLines("#lines li", "Two <b>bold</b>")
	p.untilLines("#lines mark", "Two <b>")
	made := filepath.Join(t.TempDir(), "made")
	for _, filter := range []string{"-v", "-e one", ".*", "'; touch " + made + "; '", "$(touch " + made + ")", "`touch " + made + "`", "--", `\`} {
		p.write("#filter", filter)
		p.untilLines("#lines li")
		p.until(`applied === %s`, quote(strings.ToLower(filter)))
		appendLines(t, path, "with "+filter)
		p.untilLines("#lines li", "with "+filter)
	}
	if _, err := os.Stat(made); err == nil {
		t.Error("a filter has been run by a shell")
	}
	// It holds for what comes after a new connection, and after the log was rotated.
	p.write("#filter", "t")
	p.until(`document.querySelectorAll('#lines li').length > 5`)
	p.write("#filter", "thr")
	p.untilLines("#lines li", "three")
	killed(p, s)
	appendLines(t, path, "thrust")
	p.untilLines("#lines li", "three", "thrust")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	appendLines(t, path, "four", "threefold")
	p.untilLines("#lines li", "three", "thrust", "threefold")
}

func chatPage(t *testing.T, browser context.Context) {
	need(t, "python3")
	room := filepath.Join(t.TempDir(), "room")
	s := start(t, nil, "--staticdir=chat", "chat/chat.py", room)
	ann, bob := s.open(t, browser, "", 360, 700), s.open(t, browser, "", 900, 700)
	narrow(ann)
	ann.write("#name", "Ann")
	ann.write("#text", "hello")
	bob.untilLines("#lines p", "hello")
	bob.write("#name", `<img src=x onerror=alert(1)>`)
	bob.write("#text", `<script>alert(1)</script> ["a",1] & \n`)
	want := []string{"hello", `<script>alert(1)</script> ["a",1] & \n`}
	for _, p := range []*tab{ann, bob} {
		p.untilLines("#lines p", want...)
		p.untilLines("#lines b", "Ann", `<img src=x onerror=alert(1)>`)
	}
	ann.untilLines("#lines li.own p", "hello")
	bob.write("#name", "Bob") // another name is another session
	bob.until(`named === 'Bob' && document.querySelector('#words').textContent === 'Connected'`)
	bob.write("#text", "again")
	want = append(want, "again")
	ann.untilLines("#lines p", want...)
	ann.untilLines("#lines b", "Ann", `<img src=x onerror=alert(1)>`, "Bob")

	// After the end of its program a page has each line once, and its name.
	s.wantChildren(2)
	for _, pid := range s.processes(s.cmd.Process.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []*tab{ann, bob} {
		p.until(`document.querySelector('#words').textContent === 'The program was ended by signal 9 (killed) (close code 4137)'`)
	}
	for _, p := range []*tab{ann, bob} {
		p.until(`document.querySelector('#words').textContent === 'Connected'`)
	}
	ann.write("#text", "back")
	want = append(want, "back")
	for _, p := range []*tab{ann, bob} {
		p.untilLines("#lines p", want...)
	}
}

// endings asserts that the page says in words what ended its connection.
func endings(t *testing.T, browser context.Context) {
	s := start(t, nil, "--staticdir=log", "sh", "-c", "read -r _; read -r line; exit $line")
	p := s.open(t, browser, "", 900, 700)
	p.write("#filter", "3")
	p.until(`document.querySelector('#words').textContent === 'The program ended with exit status 3 (close code 4003)'`)
	p.ask(`document.querySelector('#now').click(), true`)
	p.until(`document.querySelector('#words').textContent === 'Connected'`)
	p.write("#filter", "0")
	p.until(`document.querySelector('#words').textContent === 'The program ended with exit status 0 (close code 1000)'`)
	p.until(`document.querySelector('#words').textContent === 'Connected'`)
	s.terminate()
	p.until(`document.querySelector('#words').textContent === 'The server closed the connection: server shutting down (close code 1001)'`)
	p.until(`/^Next attempt in \d+ s$/.test(document.querySelector('#wait').textContent)`)
}

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
