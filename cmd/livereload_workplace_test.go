package cmd

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A workplace is a directory of pages and the server for it.
type workplace struct {
	*consoleServer
	dir string
}

// startWork serves files, given by pairs of name and text.
func startWork(t *testing.T, args []string, files ...string) *workplace {
	t.Helper()
	w := &workplace{dir: filepath.Join(t.TempDir(), "public")}
	w.consoleServer = &consoleServer{TB: t}
	w.write("favicon.ico", "") // which browsers ask for
	for i := 0; i < len(files); i += 2 {
		w.write(files[i], files[i+1])
	}
	w.args = append([]string{"--devconsole=false", "--livereload", "--staticdir=" + w.dir}, args...)
	if len(args) == 0 || strings.HasPrefix(args[len(args)-1], "-") {
		w.args = append(w.args, "child", "echo")
	}
	w.start("0")
	t.Cleanup(w.stop)
	return w
}

func (w *workplace) write(name, text string) {
	w.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		w.Fatal(err)
	}
}

// openPage opens a page and waits until it listens.
func (w *workplace) openPage(browser context.Context, path string) *tab {
	w.Helper()
	p := newTab(w.TB, browser)
	p.atBirth(countsEvents)
	p.do(chromedp.Navigate(w.page + path))
	p.listens()
	return p
}

// countsEvents lets a page count what it has heard.
const countsEvents = `heard = 0; EventSource = class extends EventSource {
	constructor(url) { super(url); this.addEventListener('message', () => heard++); }
}`

// listens waits until the stream has told something to the page, which from
// then on is marked.
func (p *tab) listens() {
	p.Helper()
	p.until(`heard > 0`)
	ask[bool](p, `window.marked = true`)
}

func (p *tab) says(text string) {
	p.Helper()
	p.until(`document.querySelector('p')?.textContent === %s`, quote(text))
}

func (p *tab) reloaded() {
	p.Helper()
	if ask[bool](p, `window.marked === true`) {
		p.Error("the page is still the same")
	}
}
