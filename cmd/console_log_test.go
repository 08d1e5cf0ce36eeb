package cmd

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What the log of the console does, one function for each case of TestConsole.

// consoleStreams shows both outputs of a command apart, and each with the size
// that the command has given it.
func consoleStreams(t *testing.T, browser context.Context) {
	s := serveConsole(t, "--passstderr", "child", "obey")
	p := openConsole(t, browser, s.page)
	p.send("said")
	p.row("received", "said")
	p.send(`error <b>complained</b>`)
	p.row("stderr", "<b>complained</b>")
	p.send(`{"stream":"stderr","data":"it only says so"}`)
	p.row("received", `{"stream":"stderr","data":"it only says so"}`)
	sizes := ask[string](p, `[...document.querySelectorAll('.row:is(.received, .stderr):not([hidden]) .size')].map(size => size.textContent).join()`)
	if want := "4 B,17 B,44 B"; sizes != want {
		t.Errorf("the sizes are %s, want %s", sizes, want)
	}
	p.choose("#kinds", "stderr")
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 1`)
}

func consoleInspector(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	const said = `{"big":12345678901234567890,"list":[1.0,{}, [] ],"a":"x\",{y","a":null}`
	p.send(said)
	p.row("received", said)
	p.click(".row.received")
	p.until(`document.querySelector('#whole').textContent === %s`, quote(`{
  "big": 12345678901234567890,
  "list": [
    1.0,
    {},
    []
  ],
  "a": "x\",{y",
  "a": null
}`))
	p.until(`/^#3 · received · \d\d:\d\d:\d\d\.\d{3} · 71 B$/.test(document.querySelector('#title').textContent)`)
	p.click(`[name=as][value=text]`)
	p.until(`document.querySelector('#whole').textContent === %s`, quote(said))
	p.click(`[name=as][value=hex]`)
	p.until(`document.querySelector('#whole').textContent.startsWith('000000  7b 22 62 69 67')`)
	// The choice holds for the next message, as far as that can be shown so.
	p.click(`[name=as][value=json]`)
	p.send("no JSON")
	p.row("received", "no JSON")
	p.click(".row.received:nth-last-child(1 of :not([hidden]))")
	p.until(`document.querySelector('#whole').textContent === 'no JSON' && document.querySelector('[value=json]').disabled`)

	// A message that is much larger than a screen.
	p.send(strings.Repeat("x", 300_000))
	p.until(`document.querySelectorAll('.row.received:not([hidden])').length === 3`)
	p.click(".row.received:nth-last-child(1 of :not([hidden]))")
	p.until(`document.querySelector('#whole').textContent.endsWith('x\n… and 37,856 more characters')`)
	p.click("#close")
	p.until(`!document.querySelector('#inspector').open && document.activeElement.id === 'list'`)
}

// What came by the socket or stands in the address is text, never markup.
func consoleMarkup(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page+`%22%3E%3Cscript%3Epwned=1%3C/script%3E?a="><img src=x onerror=pwned=1>#<svg onload=pwned=1>`)
	for _, line := range []string{
		`<img src=x onerror=pwned=1>`,
		`</span><script>pwned=1</script>`,
		`{"</pre><script>pwned=1</script>":"<img src=x onerror=pwned=1>"}`,
		`javascript:pwned=1`,
	} {
		p.send(line)
		p.row("received", line)
		p.click(".row.received:nth-last-child(1 of :not([hidden]))")
	}
	if found := ask[int](p, `document.querySelectorAll('img, main script, main svg, iframe, a').length`); found > 0 {
		t.Errorf("%d elements were made of text", found)
	}
	if ask[bool](p, `'pwned' in window`) {
		t.Error("text was run")
	}
	// Whatever finds a way in is stopped by the policy.
	p.forgiven = regexp.MustCompile("Content Security Policy|requires 'Trusted|Failed to fetch")
	for _, attempt := range []string{
		`document.body.innerHTML += '<img src=x onerror=pwned=1>'`,
		`document.body.append(Object.assign(document.createElement('script'), { textContent: 'pwned=1' }))`,
		// At once it would be the protocol's own, which may do everything.
		`await new Promise(done => setTimeout(() => { try { eval('pwned=1') } finally { done() } }))`,
		`fetch('http://127.0.0.1:1/').then(() => pwned=1)`,
		`new WebSocket('ws://127.0.0.1:1/').onerror = () => {}`,
	} {
		ask[bool](p, `(async () => { try { %s } catch { return true } return false })()`, attempt)
	}
	if ask[bool](p, `'pwned' in window`) {
		t.Error("a script was run that is not the console's")
	}
	if !ask[bool](p, `crossOriginIsolated`) {
		t.Error("the page shares its process, and so has a coarse clock")
	}
}

func consoleFilters(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	p.send("lines 100")
	p.row("received", "line 100")
	p.write("#filter", "LINE 10")
	p.until(`[...document.querySelectorAll('.row:not([hidden]) .data')].map(data => data.textContent).join() === 'line 10,line 100'`)
	p.choose("#kinds", "received")
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 2`)
	p.send("another line 10")
	p.row("received", "another line 10")
	p.do(chromedp.Focus(chromedp.CSS("#filter")))
	p.press(".*[(") // means itself
	p.until(`!document.querySelector('#empty').hidden && document.querySelector('#empty').innerText.trim() === 'No message passes the filter.'`)
	p.write("#filter", "")
	p.choose("#kinds", "")
	p.until(`document.querySelectorAll('.row:not([hidden])').length > 10`)

	// What comes during a pause is there after it.
	p.click("#pause")
	p.until(`document.querySelector('#pause').textContent === 'Resume'`)
	p.send("unseen")
	p.until(`document.querySelector('#pause').textContent === 'Resume (2)'`)
	if got := strings.Join(p.rows(""), "\n"); strings.Contains(got, "unseen") {
		t.Errorf("shown during the pause:\n%s", got)
	}
	p.click("#pause")
	p.row("received", "unseen")

	p.click("#clear")
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 0 && document.querySelector('#empty').innerText.startsWith('Nothing said yet')`)
	p.send("and on")
	p.row("received", "and on")
}

func consoleScrolls(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	p.send("lines 1000")
	p.row("received", "line 1000")
	p.until(`document.querySelector('#latest').hidden`)
	// Who has scrolled up stays there.
	ask[int](p, `document.querySelector('#list').scrollTop = 24 * 500`)
	p.row("received", "line 510")
	p.until(`!document.querySelector('#latest').hidden`)
	p.click("#latest")
	p.row("received", "line 1000")
	p.until(`document.querySelector('#latest').hidden`)
	// So does who looks at a message, until something is sent.
	p.click(".row:nth-child(15)")
	p.until(`document.querySelector('.row[aria-selected=true]')`)
	seen := p.text(".row[aria-selected=true] .data")
	p.send("lines 500")
	p.row("received", "line 500")
	p.until(`document.querySelector('#inspector').open`)
	p.do(chromedp.Focus(chromedp.CSS("#list")))
	p.press(kb.ArrowUp)
	p.press(kb.ArrowDown)
	p.row("received", seen)
}

func consoleExports(t *testing.T, parent context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, parent, s.page)
	p.write("#line", "tab\tand <b>")
	p.press(kb.Enter)
	p.row("received", "tab␉and <b>")
	p.choose("#kinds", "received")
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 1`)

	// Copying: by the browser's clipboard and, where a page has none, by hand.
	for range 2 {
		ask[bool](p, `(() => { document.addEventListener('copy', () => copied = getSelection().toString(), { once: true });
			labels = []; new MutationObserver(() => labels.push(document.querySelector('#copy').textContent)).observe(
				document.querySelector('#copy'), { childList: true, characterData: true, subtree: true });
			copied = ''; (navigator.clipboard ?? {}).writeText = async text => { copied = text }; return true })()`)
		p.click("#copy")
		p.until(`labels.includes('Copied')`) // which is gone after a moment
		if got := ask[string](p, `copied.replace(/^\S+/, 'TIME')`); got != "TIME\treceived\ttab\tand <b>\n" {
			t.Errorf("copied: %q", got)
		}
		p.until(`document.querySelector('#copy').textContent === 'Copy'`)
		ask[bool](p, `Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true }) === navigator`)
	}

	dir := t.TempDir()
	events := true
	call(p, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir, EventsEnabled: &events,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
	p.click("#download")
	var names []string
	if !p.eventually(func() bool {
		names, _ = filepath.Glob(filepath.Join(dir, "wsbridge-*.jsonl"))
		return len(names) == 1
	}) {
		t.Fatal("nothing was downloaded")
	}
	file, err := os.Open(names[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	line, _ := bufio.NewReader(file).ReadBytes('\n')
	var got struct{ Time, Kind, Text string }
	if err := json.Unmarshal(line, &got); err != nil || got.Kind != "received" || got.Text != "tab\tand <b>" || got.Time == "" {
		t.Errorf("downloaded: %s (%v)", line, err)
	}
}

// A flood arrives in full, in a page that does not grow with it.
func consoleFlood(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	p.send("lines 100000")
	p.row("received", "line 100000")
	p.until(`document.querySelector('#received').textContent.startsWith('100,000 ')`)
	if n := ask[int](p, `document.querySelectorAll('*').length`); n > 600 {
		t.Errorf("the page has %d elements", n)
	}
	// The newest are kept, and the page still does what it is asked for.
	p.do(chromedp.Focus(chromedp.CSS("#list")))
	p.press(kb.Home)
	p.row("received", "line 50001")
	p.write("#filter", "line 99999")
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 1`)
}
