//go:build unix

package examples

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// terminalFlood interrupts a flood. What counts is how much of it is still drawn before
// the prompt: the page must not let it wait.
func terminalFlood(t *testing.T, browser context.Context, dir string) {
	y := serveTerminal(t, dir, "--resume=10m").sit(t, browser, "", 900, 600)
	y.watch()
	y.keys("yes\r")
	y.until(`window.came > 2 << 20`)
	y.control("c")
	y.shows(`\^C\nprompt>$`)
	y.until(`window.back`)
	after, bytes := evaluate[float64](y.tab, `window.back`), evaluate[int](y.tab, `window.came - window.before`)
	t.Logf("the prompt is back after %.0f ms and %d bytes", after, bytes)
	if bytes > 1<<20 {
		t.Errorf("%d bytes came after the interrupt", bytes)
	}
	y.types("echo fine", "fine")
}

// watch loads the page again and counts what comes, and when the prompt is back after
// a key.
func (y *typist) watch() {
	y.t.Helper()
	const source = `
		window.came = 0;
		window.WebSocket = class extends WebSocket {
			constructor(...how) {
				super(...how);
				this.addEventListener('message', event => window.came += event.data.byteLength ?? 0);
			}
		};
		addEventListener('keydown', event => {
			if (!event.ctrlKey || event.key !== 'c') return;
			window.before = window.came;
			const pressed = performance.now();
			(function look() {
				if (/prompt>$/.test(` + rows + `.join('\n').trimEnd())) window.back = performance.now() - pressed;
				else requestAnimationFrame(look);
			})();
		}, true);`
	ctx, cancel := context.WithTimeout(y.ctx, limit)
	defer cancel()
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: source}); err != nil {
		y.t.Fatal(err)
	}
	y.do(chromedp.Reload())
	y.state("Connected")
	y.shows(`prompt>$`)
}

// terminalPrograms uses what takes the whole screen.
func terminalPrograms(t *testing.T, browser context.Context, dir string) {
	for _, program := range []string{"vim", "top", "less"} {
		need(t, program)
	}
	y := serveTerminal(t, dir, "--resume=10m").sit(t, browser, "", 900, 600)
	path := filepath.Join(t.TempDir(), "file")
	y.keys("vim -u NONE " + path + "\r")
	y.shows(`^\n(~\n)+`)
	y.keys("ihello, vim")
	y.shows(`^hello, vim\n~`)
	y.keys("\x1b:wq\r")
	y.shows(`prompt>$`)
	if text, err := os.ReadFile(path); string(text) != "hello, vim\n" {
		t.Errorf("vim has written %q, %v", text, err)
	}
	y.keys("top -d 1\r")
	y.shows(`^top - `)
	y.keys("q")
	y.shows(`prompt>$`)
	y.keys("clear; seq 1000 | less\r")
	y.shows(`^1\n2\n3\n(.*\n)+:$`)
	y.keys("G")
	y.shows(`\n1000\n\(END\)$`)
	y.keys("q")
	y.shows(`^prompt>$`) // the screen that was there before
}

func terminalPhone(t *testing.T, browser context.Context, dir string) {
	y := serveTerminal(t, dir, "--resume=10m").sit(t, browser, "", 360, 700, phone...)
	y.usable()
	y.types("stty size", `%d \d+`, evaluate[int](y.tab, "%s.length", rows))
	press := func(name string) {
		t.Helper()
		y.ask(`[...document.querySelectorAll('#keys button')].find(button => button.textContent === %s).click(), true`, quote(name))
	}
	y.keys("sh -c 'echo runs;sleep 99'\r")
	y.shows(`\nruns$`)
	press("Ctrl")
	y.keys("c")
	y.shows(`\^C\nprompt>$`)
	press("↑")
	y.shows(`\^C\nprompt>sh -c .*\n?.*'$`)
	press("Ctrl")
	y.keys("u")
	y.shows(`\^C\nprompt>$`)
	y.keys("echo u") // Ctrl was for one key
	y.shows(`\^C\nprompt>echo u$`)
	y.ask(`document.querySelector('#reader').click(), true`)
	y.until(`document.querySelector('.xterm-accessibility-tree').textContent.includes('echo u')`)
}

// terminalReadOnly watches. What is typed changes nothing, and the page says so.
func terminalReadOnly(t *testing.T, browser context.Context, dir string) {
	s := start(t, nil, "--pty", "--framing=channels", "--readonly", "--resume=10m", "--staticdir="+dir,
		"bash", "-c", "stty size; read -r line; echo got $line")
	p := openPage(t, browser, "http"+s.url[len("ws"):], 900, 600)
	y := &typist{p, s}
	y.state("Connected, read only")
	y.shows(`^%d \d+$`, evaluate[int](p, "%s.length", rows))
	y.keys("hello\r")
	y.do(chromedp.Reload())
	y.state("Connected, read only")
	y.shows(`^\d+ \d+$`)
	y.ask(`document.querySelector('#terminal').click(), true`)
	y.keys("again\r")
	y.do(chromedp.EmulateViewport(600, 500))
	y.shows(`^\d+ \d+$`)
}

// terminalResumes loses the network and is loaded again; the shell and its screen stay.
func terminalResumes(t *testing.T, browser context.Context, dir string) {
	s := serveTerminal(t, dir, "--resume=10m")
	network := newNetwork(t, s.url)
	y := s.sit(t, browser, network.url, 900, 600)
	y.types("echo pid=$$", `pid=\d+`)
	pid := evaluate[string](y.tab, "%s.find(row => row.startsWith('pid='))", rows)

	y.keys("clear; for i in {1..400}; do echo line $i; read -rt .005 -u 9; done 9<> <(:)\r")
	y.shows(`line 20\n`)
	network.down()
	y.state("Away, the program runs on")
	y.keys("echo typed while away\r")
	network.up()
	y.state("Connected")
	y.shows(`line 400\nprompt>echo typed while away\ntyped while away\nprompt>$`)
	lines := evaluate[[]string](y.tab, `%s.filter(row => row.startsWith('line ')).map(row => row.slice(5))`, rows)
	for i, line := range lines {
		if want := 400 - len(lines) + i + 1; line != strconv.Itoa(want) {
			t.Errorf("lines are missing or came twice: %s", lines)
			break
		}
	}

	before := evaluate[[]string](y.tab, rows)
	y.do(chromedp.Reload())
	y.state("Connected")
	y.shows(`prompt>$`)
	if now := evaluate[[]string](y.tab, rows); !slices.Equal(now, before) {
		t.Errorf("after a reload the screen is %q, before it was %q", now, before)
	}
	y.types("echo pid=$$", "%s", regexp.QuoteMeta(pid))
	s.wantChildren(1)
	y.keys("exit\r")
	y.state("Ended: exit status 0 (close code 1000)")
}

// terminalLeft leaves the page: without --resume its shell ends, and all its jobs.
func terminalLeft(t *testing.T, browser context.Context, dir string) {
	s := serveTerminal(t, dir)
	y := s.sit(t, browser, "", 900, 600)
	y.keys("sleep 1000 & sleep 1001 & disown; nohup sleep 1002 &>/dev/null & disown\r")
	y.shows(`prompt>$`)
	children := func() int { return len(s.processes(0)) - 1 } // one is the server
	if !eventually(func() bool { return children() == 4 }) {
		t.Errorf("%d processes, want the shell and three jobs", children())
	}
	y.do(chromedp.Navigate("about:blank"))
	if !eventually(func() bool { return children() == 0 }) {
		t.Errorf("%d processes are left", children())
	}
}

// terminalPicture lists files in colours and stops a program.
func terminalPicture(t *testing.T, browser context.Context) {
	y := serveTerminal(t, terminalDir(t), "--resume=10m").sit(t, browser, "", 800, 440, chromedp.EmulateScale(1.5))
	y.keys(`PS1=$'\[\e[1;34m\]examples\[\e[m\] $ '; clear` + "\r")
	y.shows(`^examples \$$`)
	y.keys("ls -F --color chat count job systemd\r")
	y.shows(`\nexamples \$$`)
	y.keys("sh -c 'for i in 1 2 3; do echo $i; done; exec sleep 1000'\r")
	y.shows(`\n3$`)
	y.control("c")
	y.shows(`\^C\nexamples \$$`)
	y.keys("echo $?\r")
	y.shows(`\n130.*\nexamples \$$`)
	y.take("terminal")
}
