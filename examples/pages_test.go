//go:build unix

package examples

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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
		"shared":    dashboardShared,
		"log":       logPage,
		"chat":      chatPage,
		"endings":   endings,
		"job":       jobPage,
		"lsp":       lspPage,
		"mcp":       mcpPage,
		"tools":     mcpPageOfOthers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, browser)
		})
	}
}

func dashboardPage(t *testing.T, browser context.Context) {
	s := start(t, nil, "--staticdir=dashboard", "dashboard/vmstat.sh")
	p := s.open(t, browser, "", 360, 700, phone...)
	p.until(`/^\d+ %%$/.test(document.querySelector('#cpu .value').textContent)`)
	p.until(`document.querySelectorAll('#tiles section:not([hidden])').length >= 1`)
	if !p.ask(`[...document.querySelectorAll('section:not([hidden]) canvas')].every(c => c.width === Math.round(2 * c.clientWidth) && c.height === Math.round(2 * c.clientHeight))`) {
		t.Error("the charts have not the points of the screen")
	}
	// The processor's newest numbers move to the left.
	const left = `(c => {
		const g = Object.assign(document.createElement('canvas'), { width: c.width, height: c.height }).getContext('2d', { willReadFrequently: true });
		g.drawImage(c, 0, 0);
		const { data } = g.getImageData(0, 0, c.width - 2 * gutter, c.height - 44);
		for (let x = 0; x < c.width - 2 * gutter; x++)
			for (let y = 20; y < c.height - 44; y++) {
				const i = 4 * (y * (c.width - 2 * gutter) + x);
				if (data[i + 3] === 255 && Math.max(...data.slice(i, i + 3)) - Math.min(...data.slice(i, i + 3)) > 60) return x;
			}
	})(document.querySelector('#cpu canvas'))`
	p.until(`(window.before = %s) > 0`, left)
	p.until(`%s < before - 4`, left)
	p.usable()

	p.ask(`(window.before = samples.length) > 0`)
	killed(p, s)
	p.until(`samples.length > before`)
}

// dashboardShared: a page that comes later has the minute before at once, and one that
// has lost its connection has each second once.
func dashboardShared(t *testing.T, browser context.Context) {
	script := `i=0; while [ $i -lt 40 ]; do i=$((i + 1)); echo "$i 1 2 97 0"; done; while read -r line; do echo "$line"; done`
	s := start(t, nil, "--staticdir=dashboard", "--share", "--keep=forever", "--replay=30", "sh", "-c", script)
	p := s.open(t, browser, "", 900, 700)
	const seconds = `typeof samples === 'object' && samples.map(s => s.free).join() === Array.from({ length: 30 }, (_, i) => 11 + i).join() &&
		samples.every((s, i) => !i || Math.abs(s.time - samples[i - 1].time - 1000) < 300)`
	// What comes at once is of the seconds before. On a busy machine it may come in two
	// pieces: then the page is loaded once more.
	p.until(`(` + seconds + `) || (performance.now() > 5000 && (location.reload(), false))`)
	s.dial(t, "").send("41 1 2 97 0")
	p.until(`samples.at(-1).free === 41`)
	p.ask(`connect(), true`) // the samples of the same time are replaced, not doubled
	p.until(`samples.slice(first).map(s => s.free).join() === Array.from({ length: 30 }, (_, i) => 12 + i).join() &&
		samples.slice(0, first).every(s => s.time < samples[first].time)`)
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
	p := s.open(t, browser, "", 360, 700, phone...)
	p.untilLines("#lines li", "one", "Two <b>bold</b>", "three")
	appendLines(t, path, "four: error")
	p.untilLines("#lines li.bad", "four: error")
	p.usable()

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
	s := start(t, nil, "--staticdir=chat", "--share=url", "--replay=50", "chat/chat.py")
	ann, bob := s.open(t, browser, "", 360, 700, phone...), s.open(t, browser, "", 900, 700)
	// All of it goes by keyboard; with no name yet, it starts there.
	for _, keys := range []string{"Ann", kb.Enter, "hello", kb.Enter} {
		ann.do(chromedp.KeyEvent(keys))
	}
	bob.untilLines("#lines p", "hello")
	ann.untilLines("#lines p", "hello")
	ann.usable()
	bob.write("#name", `<img src=x onerror=alert(1)>`)
	bob.write("#text", `<script>alert(1)</script> ["a",1] & \n`)
	want := []string{"hello", `<script>alert(1)</script> ["a",1] & \n`}
	for _, p := range []*tab{ann, bob} {
		p.untilLines("#lines p", want...)
		p.untilLines("#lines b", "Ann", `<img src=x onerror=alert(1)>`)
	}
	ann.untilLines("#lines li.own p", "hello")
	bob.write("#name", "Bob")
	bob.write("#text", "again")
	want = append(want, "again")
	ann.untilLines("#lines p", want...)
	ann.untilLines("#lines b", "Ann", `<img src=x onerror=alert(1)>`, "Bob")

	// Whoever comes later is told what was said before.
	s.open(t, browser, "", 900, 700).untilLines("#lines p", want...)

	// After the end of the program a page has each line once.
	s.wantChildren(1)
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

	p = s.open(t, browser, "", 360, 700, phone...)
	s.terminate()
	<-s.ended
	p.until(`document.querySelector('#words').textContent === 'The server closed the connection: server shutting down (close code 1001)'`)
	p.until(`/^Next attempt in \d+ s$/.test(document.querySelector('#wait').textContent)`)
	p.usable()
	// It goes on trying, and finds the server that comes after.
	p.until(`failures > 1`)
	if !p.ask(`document.querySelector('#words').textContent.includes('server shutting down')`) {
		t.Error("an attempt that failed hides what ended the connection")
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "ws://"), ":")
	start(t, nil, "--port="+strings.TrimSuffix(port, "/"), "--staticdir=log", "cat")
	p.until(`document.querySelector('#words').textContent === 'Connected'`)
}
