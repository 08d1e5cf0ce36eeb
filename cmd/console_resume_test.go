package cmd

import (
	"context"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// How the console resumes, one function for each case of TestConsole.

func consoleResumes(t *testing.T, browser context.Context) {
	s := serveConsole(t, "--resume=5m", "child", "obey")
	way := cutting(t, s.page)
	p := openConsole(t, browser, way.page())
	p.forgiven = brokenSocket
	p.until(`document.querySelector('#resume').checkVisibility() && document.querySelector('#resume').checked`)
	p.send("before")
	p.row("received", "before")
	way.goDown()
	p.sentence("Away")
	p.until(`/^for \d+ s, nothing lost$/.test(document.querySelector('#next').textContent)`)
	p.send("while away") // with nobody to wait for
	p.row("sent", "while away")
	way.goUp()
	p.sentence("Connected")
	p.row("received", "while away")
	p.until(`[...document.querySelectorAll('.row.note .data')].some(note => /^away for \d+ s, nothing lost$/.test(note.textContent))`)
	p.until(`document.querySelector('#next').textContent === ''`)
	way.goDown()
	p.sentence("Away")
	p.click("#toggle")
	p.sentence("Disconnected")
	way.goUp()

	// What the program says at its end arrives, and so does the end.
	p.send("exit 3")
	p.sentence("4003: the command ended with exit status 3")
	// Without it, a connection that is lost is the end.
	p.click("#resume")
	p.send("a plain one")
	p.row("received", "a plain one")
	way.goDown()
	p.sentence("1006: the connection was lost: the server is gone, or did not hear from this page for too long")
	way.goUp()
	p.do(chromedp.Reload())
	p.until(`document.title.startsWith('○') && !document.querySelector('#resume').checked`)
	p.click("#resume")

	// A page that is left takes its program with it.
	p.send("the last one")
	p.row("received", "the last one")
	p.do(chromedp.Navigate("about:blank"))
	if !p.eventually(func() bool {
		text := s.stderr.text()
		return strings.Count(text, "msg=open") == strings.Count(text, "msg=close")+1 // the one that was given up while away
	}) {
		t.Errorf("the program runs on:\n%s", s.stderr.text())
	}
}

// A first attempt that is refused is told as without it.
func consoleResumeRefused(t *testing.T, browser context.Context) {
	s := serveConsole(t, "--resume=5m", "--maxforks=1", "child", "obey")
	first, second := openConsole(t, browser, s.page), openConsole(t, browser, s.page)
	first.send("the only one")
	first.row("received", "the only one")
	second.forgiven = regexp.MustCompile("WebSocket|status of 429")
	second.send("one too many")
	second.sentence("429: too many sessions")
	plain := openConsole(t, browser, serveConsole(t, "child", "obey").page)
	plain.until(`!document.querySelector('#resume').checkVisibility()`)
}

// consoleFramings names a framing that is not lines, and the page for a terminal.
func consoleFramings(t *testing.T, browser context.Context) {
	const says = `[...document.querySelectorAll('#framing, #terminal')].filter(e => e.checkVisibility()).map(e => e.innerText.replace(/\s+/g, ' ')).join('; ')`
	const terminal = "The command has a terminal. A page for that is examples/terminal of wsbridge."
	for flags, want := range map[string]string{
		"":                         "",
		"--framing=lines":          "",
		"--framing=lsp":            "framing lsp",
		"--binary":                 "framing bytes",
		"--pty":                    "framing bytes; " + terminal,
		"--pty --framing=channels": "framing channels; " + terminal,
	} {
		if runtime.GOOS == "windows" && strings.Contains(flags, "--pty") {
			continue // is not there
		}
		p := openConsole(t, browser, serveConsole(t, append(strings.Fields(flags), "child", "obey")...).page)
		if got := ask[string](p, says); got != want {
			t.Errorf("%s: the console says %q, want %q", flags, got, want)
		}
	}
}
