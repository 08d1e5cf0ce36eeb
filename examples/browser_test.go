//go:build unix

package examples

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// startBrowser starts a browser that ends with the test. It skips the test
// where there is none, except in CI.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		need(t, "chromium")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(4*limit),
		// Chromium refuses to run as root inside its sandbox.
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-GB"),
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

// A tab is a page in a browser, with a memory of its own. Errors of the page's
// script fail the test.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// open opens the server's page, with this fragment ("#a", or nothing), in a
// window of this size in px, and waits until it is connected.
func (s *server) open(t *testing.T, browser context.Context, fragment string, width, height int64, options ...chromedp.EmulateViewportOption) *tab {
	t.Helper()
	p := openPage(t, browser, "http"+strings.TrimPrefix(s.url, "ws")+fragment, width, height, options...)
	p.until(`document.querySelector('#words').textContent === 'Connected'`)
	return p
}

// openPage opens a page in a window of this size in px.
func openPage(t *testing.T, browser context.Context, url string, width, height int64, options ...chromedp.EmulateViewportOption) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	p := &tab{t: t, ctx: ctx}
	t.Cleanup(func() {
		closeTab()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, complaint := range p.complaints {
			t.Errorf("the browser complains: %s", complaint)
		}
	})
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(width, height, options...), chromedp.Navigate(url))
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
	case *log.EventEntryAdded:
		// A connection that fails is what some of the tests are about.
		if strings.Contains(e.Entry.Text, "WebSocket connection to") || strings.Contains(e.Entry.Text, "WebSocket is closed before") {
			return
		}
		// So does a page that asks for it and can do without.
		if strings.HasSuffix(e.Entry.URL, "/.wsbridge/client.js") {
			return
		}
		complaint = e.Entry.Text
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, complaint)
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// write writes text into a field in place of what is there, and presses Enter.
func (p *tab) write(selector, text string) {
	p.t.Helper()
	p.ask(`(field => { field.focus(); field.select() })(document.querySelector(%s)), true`, quote(selector))
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	if _, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.KeyEvent(kb.Enter))
}

// ask evaluates a condition in the page.
func (p *tab) ask(format string, args ...any) bool {
	p.t.Helper()
	return evaluate[bool](p, format, args...)
}

// evaluate evaluates an expression in the page, also one that is still to come.
func evaluate[T any](p *tab, format string, args ...any) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	expression := fmt.Sprintf(format, args...)
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return answer
}

// until waits for a condition in the page.
func (p *tab) until(format string, args ...any) {
	p.t.Helper()
	expression := fmt.Sprintf(format, args...)
	if eventually(func() bool { return p.ask(`Boolean(%s)`, expression) }) {
		return
	}
	p.t.Fatalf("never true: %s\nThe page says:\n%s", expression, evaluate[string](p, `document.body.innerText`))
}

// untilLines waits until the texts of the elements are these.
func (p *tab) untilLines(selector string, want ...string) {
	p.t.Helper()
	want = append([]string{}, want...) // none is [], not null
	p.until(`JSON.stringify([...document.querySelectorAll(%s)].map(e => e.textContent)) === %s`,
		quote(selector), quote(quote(want)))
}

// quote writes a value as one of JavaScript.
func quote(v any) string {
	b := new(strings.Builder)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
