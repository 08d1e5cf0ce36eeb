package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestConsole does in a real browser what a person does with the console.
func TestConsole(t *testing.T) {
	browser := startBrowser(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, browser context.Context)
	}{
		{"send and receive", consoleSends},
		{"ends in words", consoleEnds},
		{"history", consoleHistory},
		{"reconnect", consoleReconnects},
		{"resume", consoleResumes},
		{"resume refused", consoleResumeRefused},
		{"restart", consoleRestart},
		{"reload", consoleReload},
		{"address", consoleAddress},
		{"proxy", consoleProxy},
		{"refused", consoleRefused},
		{"several lines", consoleSeveralLines},
		{"file", consoleFile},
		{"binary", consoleBinary},
		{"framings", consoleFramings},
		{"streams", consoleStreams},
		{"inspector", consoleInspector},
		{"markup", consoleMarkup},
		{"filter and pause", consoleFilters},
		{"scroll", consoleScrolls},
		{"copy and download", consoleExports},
		{"flood", consoleFlood},
		{"keyboard", consoleKeyboard},
		{"names", consoleNames},
		{"contrast", consoleContrast},
		{"phone", consolePhone},
		{"tablet", consoleTablet},
		{"sheet", consoleSheet},
		{"colours", consoleColours},
		{"modules", consoleModules},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, browser)
		})
	}
}

// openConsole opens a page of the server. Nothing is connected then.
func openConsole(t testing.TB, browser context.Context, url string) *tab {
	t.Helper()
	p := newTab(t, browser)
	p.do(chromedp.Navigate(url))
	p.until(`document.title.startsWith('○')`)
	return p
}

// send writes a line and presses Enter.
func (p *tab) send(line string) {
	p.Helper()
	p.write("#line", line)
	p.press(kb.Enter)
}

// row waits for a row of the log with this kind and text, and returns its
// selector.
func (p *tab) row(kind, text string) {
	p.Helper()
	p.until(`[...document.querySelectorAll('.row.%s:not([hidden]) .data')].some(data => data.textContent === %s)`, kind, quote(text))
}

// rows are the texts of the rows of a kind; an empty kind stands for all.
func (p *tab) rows(kind string) []string {
	p.Helper()
	if kind != "" {
		kind = "." + kind
	}
	return ask[[]string](p, `[...document.querySelectorAll('.row%s:not([hidden]) .data')].map(data => data.textContent)`, kind)
}

func (p *tab) sentence(want string) {
	p.Helper()
	p.until(`document.querySelector('#sentence').textContent === %s`, quote(want))
}

func consoleSends(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page+"some/path?name=x%20y")
	if got, want := ask[string](p, `document.querySelector('#address').value`), "ws"+strings.TrimPrefix(s.page, "http")+"some/path?name=x%20y"; got != want {
		t.Errorf("the address is %s, want %s", got, want)
	}
	// No page may start a command by sending its reader here.
	if s.reports.count("Opened") > 0 {
		t.Error("it has connected by itself")
	}
	p.send("hello")
	p.sentence("Connected")
	p.row("sent", "hello")
	p.row("received", "hello")
	p.until(`document.title.startsWith('● /some/path')`)
	p.until(`document.querySelector('#received').textContent === '1 · 5 B'`)
	p.until(`document.querySelector('#sent').textContent === '1 · 5 B'`)
	p.until(`/^[0-9.]+ m?s$/.test(document.querySelector('#answer').textContent)`)
	p.until(`document.querySelector('#spoken').textContent === 'received: hello'`)
	p.until(`document.querySelector('#chart').ariaLabel.match(/now \d+, at most [1-9]/)`)
	p.until(`document.querySelector('#line').value === ''`)

	p.send("größer")
	p.row("received", "größer")
	p.until(`document.querySelector('#received').textContent === '2 · 13 B'`)
	p.until(`[...document.querySelectorAll('.row.received .size')].some(size => size.textContent === '8 B')`)
	p.until(`[...document.querySelectorAll('.row.received .since')].every(since => /^\+[0-9.]+ m?s$/.test(since.textContent))`)

	p.click("#toggle")
	p.sentence("Disconnected")
	if got := ask[string](p, `document.querySelector('#state').dataset.end`); got != "good" {
		t.Errorf("the end is %s", got)
	}
}

func consoleEnds(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	for _, test := range []struct{ line, want, end string }{
		{"exit 0", "1000: the command ended with exit status 0", "good"},
		{"exit 3", "4003: the command ended with exit status 3", "bad"},
		{"exit 130", "4130: the command ended with exit status 130, as a shell does after signal 2 (SIGINT)", "bad"},
		{"kill", "4137: the command was killed by signal 9 (SIGKILL)", "bad"},
		{strings.Repeat("x", 20), "1009: the message was larger than the server takes (--maxframesize) (message over 10 bytes)", "bad"},
	} {
		if runtime.GOOS == "windows" && test.line == "kill" {
			continue
		}
		if test.end == "bad" && strings.HasPrefix(test.line, "x") {
			s.stop()
			s.args = append([]string{"--maxframesize=10"}, s.args...)
			s.restart()
		}
		p.send(test.line)
		p.sentence(test.want)
		p.row("note", test.want)
		if got := ask[string](p, `document.querySelector('#state').dataset.end`); got != test.end {
			t.Errorf("%s: the end is %s", test.line, got)
		}
	}
	p.forgiven = regexp.MustCompile("ERR_CONNECTION_REFUSED")
	s.stop()
	p.send("nobody hears this")
	p.sentence("1006: no connection: the server cannot be reached")
	p.until(`document.querySelector('#line').value === 'nobody hears this'`)
}

func consoleHistory(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	for _, line := range []string{"first", "second", "second", "exit 3"} {
		p.send(line)
		p.row("sent", line)
	}
	p.sentence("4003: the command ended with exit status 3")
	p.do(chromedp.Reload())
	p.until(`document.title.startsWith('○')`)
	p.do(chromedp.Focus(chromedp.CSS("#line")))
	p.press("draft")
	for _, step := range []struct{ key, want string }{
		{kb.ArrowUp, "exit 3"},
		{kb.ArrowUp, "second"},
		{kb.ArrowUp, "first"},
		{kb.ArrowUp, "first"},
		{kb.ArrowDown, "second"},
		{kb.ArrowDown, "exit 3"},
		{kb.ArrowDown, "draft"},
		{kb.ArrowDown, "draft"},
	} {
		p.press(step.key)
		if got := ask[string](p, `document.querySelector('#line').value`); got != step.want {
			t.Fatalf("the line is %q, want %q", got, step.want)
		}
	}
	// A page whose memory is forbidden works all the same.
	p.do(chromedp.Navigate("about:blank"))
	p.atBirth(`Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } });
		Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no', 'SecurityError') } })`)
	p.do(chromedp.Navigate(s.page))
	p.until(`document.title.startsWith('○')`)
	p.send("forgotten")
	p.row("received", "forgotten")
	p.press(kb.ArrowUp)
	p.until(`document.querySelector('#line').value === 'forgotten'`)
}

func consoleSeveralLines(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	lines := func() {
		p.do(chromedp.Focus(chromedp.CSS("#line")))
		p.press("one")
		p.press(kb.Enter, kb.ModifierShift)
		p.press("two")
		if rows := ask[int](p, `document.querySelector('#line').rows`); rows != 2 {
			t.Errorf("the field has %d rows", rows)
		}
		p.press(kb.Enter)
	}
	lines()
	p.row("received", "two")
	if got := fmt.Sprint(p.rows("sent"), p.rows("received")); got != "[one two] [one two]" {
		t.Error(got)
	}
	p.choose("#how", "whole")
	lines()
	p.row("sent", "one␊two")
	p.until(`document.querySelector('#received').textContent.startsWith('4 ')`)
}

func consoleFile(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	write := func(content string) string {
		name := filepath.Join(t.TempDir(), "data.txt")
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	pick := func(content string) {
		p.do(chromedp.SetUploadFiles(chromedp.CSS("#picker"), []string{write(content)}))
	}
	// The ends of the pieces in which it is read fall into lines and into characters.
	const lines = 6_000
	var text strings.Builder
	for n := range lines {
		fmt.Fprintf(&text, "%d ä€🌍\r\n", n)
	}
	pick(text.String() + "the last")
	p.row("received", "the last")
	p.until(`document.querySelector('#received').textContent.startsWith('6,001 ')`)
	if bad := ask[int](p, `[...document.querySelectorAll('.row .data')].filter(data => /[�\r]/.test(data.textContent)).length`); bad > 0 {
		t.Errorf("%d rows are not as they were written", bad)
	}
	p.write("#filter", "data.txt")
	p.row("note", fmt.Sprintf("file data.txt sent: %d messages", lines+1))
	p.write("#filter", "")
	pick("no \xff text")
	p.until(`document.querySelector('#trouble').textContent === 'the file is not text in UTF-8; send it as one message'`)
	p.choose("#how", "whole")
	pick("no \xff text")
	p.row("sent", "6e 6f 20 ff 20 74 65 78 74")
	p.row("received", "no � text") // repaired by the server
}

func consoleBinary(t *testing.T, browser context.Context) {
	s := serveConsole(t, "--binary", "child", "raw", "100")
	p := openConsole(t, browser, s.page)
	p.send("a line")
	p.row("sent", "a line␊")
	p.row("received", "a line␊")
	p.choose("#how", "hex")
	p.send("de:ad 0xBE,ef0")
	p.until(`document.querySelector('#trouble').textContent === '“ef0” has an odd number of digits'`)
	p.until(`document.querySelector('#line').ariaInvalid === 'true'`)
	p.press(kb.Backspace)
	p.until(`document.querySelector('#trouble').textContent === ''`)
	p.press(kb.Enter)
	p.row("received", "de ad be ef")
	p.until(`[...document.querySelectorAll('.row.received .size')].some(size => size.textContent === '4 B')`)
	p.click(".row.received:nth-last-child(1 of :not([hidden]))")
	p.until(`document.querySelector('#whole').textContent.match(/^000000  de ad be ef +\.\.\.\.$/)`)
	// What is text may be looked at as bytes.
	p.click("#hex")
	p.row("received", "61 20 6c 69 6e 65 0a")
	p.until(`document.querySelector('#hex').ariaPressed === 'true'`)
}
