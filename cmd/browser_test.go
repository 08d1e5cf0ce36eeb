package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// startBrowser starts a browser that ends with the test. Tabs are made of the
// context by chromedp.NewContext.
func startBrowser(t testing.TB) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		missing(t, "a browser (Debian: chromium)")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(2*patience),
		// Chromium refuses to run as root inside its sandbox.
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("disable-component-update", true),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		// Cancel waits until the browser has left its folder.
		if err := chromedp.Cancel(browser); err != nil && !errors.Is(err, context.Canceled) {
			t.Logf("closing the browser: %v", err)
		}
		closeBrowser()
		stop()
	})
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return browser
}

// missing skips the test, except in CI, where what is not there must not pass
// for something that was satisfied.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal("missing: " + what)
	}
	t.Skip("missing: " + what)
}

// A tab is a page in a browser with a memory of its own. Whatever the browser
// complains about on it fails the test: errors of scripts, breaches of a
// policy, failed requests.
type tab struct {
	testing.TB
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	forgiven   *regexp.Regexp // the complaints that are expected
}

func newTab(t testing.TB, browser context.Context) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	p := &tab{TB: t, ctx: ctx}
	t.Cleanup(func() {
		closeTab()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, complaint := range p.complaints {
			if p.forgiven == nil || !p.forgiven.MatchString(complaint) {
				t.Errorf("the browser complains: %s", complaint)
			}
		}
	})
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(1200, 800))
	return p
}

func (p *tab) hear(event any) {
	var complaint string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			complaint += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		complaint = "console." + string(e.Type)
	case *log.EventEntryAdded:
		complaint = fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text)
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, complaint)
}

// do is what a person does.
func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.Fatal(err)
	}
}

// press presses keys one after the other, of package kb or of a text. Other
// than with chromedp.KeyEvent, a key that the page takes for itself writes nothing.
func (p *tab) press(keys string, modifiers ...kb.Modifier) {
	p.Helper()
	for _, key := range keys {
		events := kb.Encode(key)
		down, up := events[0], events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, event := range []*input.DispatchKeyEventParams{down, up} {
			for _, m := range modifiers {
				event.Modifiers |= int64(m)
			}
			call(p, input.DispatchKeyEvent, *event)
		}
	}
}

// write writes text into a field in place of what is there.
func (p *tab) write(selector, text string) {
	p.Helper()
	ask[bool](p, `(field => { field.focus(); field.select(); return true })(document.querySelector(%s))`, quote(selector))
	if text == "" {
		p.press(kb.Delete)
		return
	}
	call(p, input.InsertText, input.InsertTextParams{Text: text})
}

// call runs a command of the DevTools protocol.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

func (p *tab) click(selector string) {
	p.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// ask evaluates an expression in the page, promises included.
func ask[T any](p *tab, format string, args ...any) T {
	p.Helper()
	expression := fmt.Sprintf(format, args...)
	answer, err := tryAsk[T](p, expression)
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return answer
}

func tryAsk[T any](p *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// choose picks an option of a select, as its user does.
func (p *tab) choose(selector, value string) {
	p.Helper()
	ask[bool](p, `(select => { select.value = %s; return select.dispatchEvent(new Event('change', { bubbles: true })) })(document.querySelector(%s))`,
		quote(value), quote(selector))
}

// atBirth runs a script in the pages to come before any of their own.
func (p *tab) atBirth(script string) {
	p.Helper()
	call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

func (p *tab) text(selector string) string {
	p.Helper()
	return ask[string](p, `document.querySelector(%s).textContent`, quote(selector))
}

// until waits for an expression to become true. A page that is about to give
// way to another cannot tell.
func (p *tab) until(format string, args ...any) {
	p.Helper()
	expression := fmt.Sprintf(format, args...)
	var err error
	if !p.eventually(func() (holds bool) {
		holds, err = tryAsk[bool](p, "Boolean("+expression+")")
		return holds && err == nil
	}) {
		p.Fatalf("never true: %s (%v)\nThe page says:\n%s", expression, err, ask[string](p, `document.body.innerText`))
	}
}

// eventually waits for a condition, and reports whether it has come true.
func (p *tab) eventually(holds func() bool) bool { return within(patience, holds) }

// within is eventually with another limit, for what may as well not come.
func within(limit time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// quote writes a string as one of JavaScript.
func quote(s string) string {
	b, err := json.Marshal(s)
	must(err)
	return string(b)
}
