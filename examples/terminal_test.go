//go:build unix

package examples

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestTerminal does in a browser what one does at a terminal: it types.
func TestTerminal(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("what a shell leaves behind is found on Linux only")
	}
	need(t, "bash")
	dir := terminalDir(t)
	browser := startBrowser(t)
	for name, run := range map[string]func(*testing.T, context.Context, string){
		"shell":    terminalShell,
		"flood":    terminalFlood,
		"programs": terminalPrograms,
		"phone":    terminalPhone,
		"readonly": terminalReadOnly,
		"resume":   terminalResumes,
		"leaving":  terminalLeft,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, browser, dir)
		})
	}
}

// terminalDir is a folder with the page and the packages that npm install gives it. The
// ones of terminal/ or of NODE_PATH are taken if they are there.
func terminalDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("terminal")); err != nil {
		t.Fatal(err)
	}
	const packages = "node_modules/@xterm"
	if _, err := os.Stat(filepath.Join(dir, packages)); err == nil {
		return dir
	}
	if path := os.Getenv("NODE_PATH"); path != "" {
		if err := os.CopyFS(filepath.Join(dir, packages), os.DirFS(filepath.Join(path, "@xterm"))); err == nil {
			return dir
		}
	}
	need(t, "npm")
	ctx, cancel := context.WithTimeout(t.Context(), 4*limit)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--prefix", dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("npm install: %v\n%s", err, out)
		}
		t.Skipf("npm install, which fetches xterm.js, does not work here: %v\n%s", err, out)
	}
	return dir
}

// A typist is somebody at the page.
type typist struct {
	*tab
	server *server
}

// policy is as strict as xterm.js allows, which makes style sheets.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:"

// serveTerminal serves a shell that reads no files of the user's.
func serveTerminal(t *testing.T, dir string, flags ...string) *server {
	t.Helper()
	flags = append([]string{
		"--pty", "--framing=channels", "--passenv=PATH,PS1=prompt>,HISTFILE=,HOME=" + t.TempDir(),
		"--staticdir=" + dir, "--header-http=Content-Security-Policy: " + policy,
	}, flags...)
	return start(t, nil, append(flags, "bash", "--norc", "--noprofile")...)
}

// sit sits down at the server's page, which comes by a url or by the server's own.
func (s *server) sit(t *testing.T, browser context.Context, url string, width, height int64, options ...chromedp.EmulateViewportOption) *typist {
	t.Helper()
	if url == "" {
		url = "http" + s.url[len("ws"):]
	}
	y := &typist{openPage(t, browser, url, width, height, options...), s}
	y.state("Connected")
	y.shows(`prompt>$`)
	return y
}

// rows are the lines of the screen, as they are drawn.
const rows = `[...document.querySelectorAll('.xterm-rows > div')].map(row => row.textContent.replaceAll('\u00a0', ' ').trimEnd())`

// shows waits until the screen matches a regular expression.
func (y *typist) shows(pattern string, args ...any) {
	y.t.Helper()
	y.until(`RegExp(%s, 'u').test(%s.join('\n').trimEnd())`, quote(fmt.Sprintf(pattern, args...)), rows)
}

func (y *typist) state(want string) {
	y.t.Helper()
	y.until(`document.querySelector('#state').textContent === %s`, quote(want))
}

// types types a line, and waits for what the shell makes of it and the next prompt.
func (y *typist) types(line, pattern string, args ...any) {
	y.t.Helper()
	y.keys(line + "\r")
	y.shows("\n"+pattern+"\nprompt>$", args...)
}

// keys presses keys one after the other. A key that the page takes for itself writes
// nothing, other than with chromedp.KeyEvent.
func (y *typist) keys(text string, modifiers ...kb.Modifier) {
	y.t.Helper()
	ctx, cancel := context.WithTimeout(y.ctx, limit)
	defer cancel()
	for _, key := range text {
		events := kb.Encode(key)
		down, up := events[0], events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, event := range []*input.DispatchKeyEventParams{down, up} {
			for _, m := range modifiers {
				event.Modifiers |= int64(m)
			}
			if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, *event); err != nil {
				y.t.Fatal(err)
			}
		}
	}
}

func (y *typist) control(key string) {
	y.t.Helper()
	y.keys(key, kb.ModifierCtrl)
}

// What a user does in a shell.
func terminalShell(t *testing.T, browser context.Context, dir string) {
	y := serveTerminal(t, dir, "--resume=10m").sit(t, browser, "", 900, 600)
	y.types("stty size", `%d \d+`, evaluate[int](y.tab, "%s.length", rows))
	columns := evaluate[string](y.tab, "%s.findLast(row => /^\\d+ \\d+$/.test(row))", rows)
	y.do(chromedp.EmulateViewport(640, 380))
	y.until("%s.length < 24", rows)
	y.keys("clear\r")
	y.types("stty size", `%d \d+`, evaluate[int](y.tab, "%s.length", rows))
	if narrow := evaluate[string](y.tab, "%s.findLast(row => /^\\d+ \\d+$/.test(row))", rows); narrow == columns {
		t.Errorf("still %s", narrow)
	}
	// As wide as the shell says: the last column is in the same row.
	y.types(`clear; printf "%*s\n" "$(tput cols)" end`, `? +end`)

	y.keys("sh -c 'echo runs; exec sleep 1000'\r")
	y.shows(`\nruns$`)
	y.control("c")
	y.shows(`\nruns\n\^C\nprompt>$`)
	y.types("echo $?", "130")

	y.types(`printf '\e[38;2;1;2;120mcoloured\e[0m\n'`, "coloured")
	if colour := evaluate[string](y.tab, `getComputedStyle([...document.querySelectorAll('.xterm-rows span')].find(e => e.textContent === 'coloured')).color`); colour != "rgb(1, 2, 120)" {
		t.Errorf("24-bit colour: %s", colour)
	}
	// The terminal itself says how far wide characters have moved its cursor.
	y.types(`clear; printf '\xe6\xbc\xa2\xe5\xad\x97\xf0\x9f\x91\x8d|\e[6n'; read -rsd R at; echo "${at#*;}"`, `?漢字👍\|8`)

	y.keys("exit 3\r")
	y.state("Ended: exit status 3 (close code 4003)")
	y.ask(`document.querySelector('#again').click(), true`)
	y.state("Connected")
	y.shows(`^prompt>$`)
	y.keys("kill -9 $$\r")
	y.state("Ended: signal: killed (close code 4137)")
}
