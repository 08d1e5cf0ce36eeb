package cmd

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestLiveReload does in a real browser what a person does who writes a page
// and the command behind it.
func TestLiveReload(t *testing.T) {
	browser := startBrowser(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, browser context.Context)
	}{
		{"page", reloadsPage},
		{"style", reloadsStyle},
		{"policy", reloadsUnderPolicy},
		{"route", reloadsRoute},
		{"own script", reloadsByOwnScript},
		{"build", reloadsAfterBuild},
		{"restart", reloadsAfterRestart},
		{"hidden", reloadsWhenShown},
		{"stale", reloadsStaleOnce},
		{"command", reconnectsPage},
		{"console", reconnectsConsole},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, browser)
		})
	}
}

func reloadsPage(t *testing.T, browser context.Context) {
	w := startWork(t, nil, "index.html", "<!doctype html><p>one</p>", "app.js", "", "sub/index.html", "<p id=sub>below</p>")
	p := w.openPage(browser, "")
	for _, text := range []string{"two", "three"} {
		w.write("index.html", "<!doctype html><p>"+text+"</p>")
		p.says(text)
		p.reloaded()
		p.listens()
	}
	// An editor's way to save, and a file that was not there.
	w.write(".index.html.swp", "<!doctype html><p>four</p><script src=new/dir/app.js></script>")
	w.write("new/dir/app.js", "document.querySelector('p').textContent = 'five'")
	if err := os.Rename(filepath.Join(w.dir, ".index.html.swp"), filepath.Join(w.dir, "index.html")); err != nil {
		t.Fatal(err)
	}
	p.says("five")
	// A browser would not ask again for a script that it has just got.
	for _, text := range []string{"six", "seven"} {
		p.listens()
		w.write("new/dir/app.js", "document.querySelector('p').textContent = '"+text+"'")
		p.says(text)
	}
}

func reloadsStyle(t *testing.T, browser context.Context) {
	w := startWork(t, nil, "index.html", `<!doctype html><link rel=stylesheet href="a.css?v=1"><link rel=stylesheet href="sub/b.css"><p>text</p>`,
		"a.css", "p { color: rgb(1, 1, 1) }", "sub/b.css", "@import url(c.css);", "sub/c.css", "p { margin: 1px }")
	p := w.openPage(browser, "")
	style := func(property, value string) {
		t.Helper()
		p.until(`document.querySelector('p') && getComputedStyle(document.querySelector('p')).%s === %s`, property, quote(value))
	}
	style("color", "rgb(1, 1, 1)")
	for _, color := range []string{"rgb(2, 2, 2)", "rgb(3, 3, 3)"} {
		w.write("a.css", "p { color: "+color+" }")
		style("color", color)
		p.until(`document.querySelectorAll('link').length === 2`)
	}
	if !ask[bool](p, `window.marked === true`) {
		t.Error("the page was loaded again")
	}
	// Another style sheet brings this one.
	w.write("sub/c.css", "p { margin: 2px }")
	style("marginTop", "2px")
	p.reloaded()
}

func reloadsUnderPolicy(t *testing.T, browser context.Context) {
	page := func(text string) string {
		return `<!doctype html><meta http-equiv=Content-Security-Policy content="default-src 'none'; script-src 'self'; connect-src 'self'"><p>` + text + "</p>"
	}
	w := startWork(t, nil, "index.html", page("one"))
	p := w.openPage(browser, "")
	w.write("index.html", page("two"))
	p.says("two")
	p.reloaded()
}

func reloadsRoute(t *testing.T, browser context.Context) {
	w := startWork(t, []string{"--spa"}, "index.html", "<!doctype html><base href=/somewhere/else/><p>one</p>")
	p := w.openPage(browser, "users/42")
	w.write("index.html", "<!doctype html><p>two</p>")
	p.says("two")
	p.until(`location.pathname === '/users/42'`)
	p.listens()
	w.write("index.html", "<!doctype html><p>three</p>")
	p.says("three")
}

func reloadsByOwnScript(t *testing.T, browser context.Context) {
	const script = `<script src="/.wsbridge/livereload.js"></script>`
	w := startWork(t, []string{"--livereload=script"}, "index.html", "<!doctype html>"+script+"<p>one</p>")
	p := w.openPage(browser, "")
	w.write("index.html", "<!doctype html>"+script+"<p>two</p>")
	p.says("two")
	p.reloaded()
}

// A tool may remove the directory and make it anew, in its own time.
func reloadsAfterBuild(t *testing.T, browser context.Context) {
	if runtime.GOOS == "windows" {
		t.Skip("a directory that is open cannot be removed")
	}
	w := startWork(t, nil, "index.html", "<!doctype html><p>one</p>")
	p := w.openPage(browser, "")
	p.forgiven = regexp.MustCompile("404")
	for _, text := range []string{"two", "three"} {
		if err := os.RemoveAll(w.dir); err != nil {
			t.Fatal(err)
		}
		p.says("404 page not found")
		p.listens()
		w.write("index.html", "<!doctype html><p>"+text+"</p>")
		p.says(text)
		p.listens()
	}
}

func reloadsAfterRestart(t *testing.T, browser context.Context) {
	w := startWork(t, nil, "index.html", "<!doctype html><p>one</p>")
	p := w.openPage(browser, "")
	p.forgiven = regexp.MustCompile("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE")
	w.stop()
	w.write("index.html", "<!doctype html><p>two</p>")
	w.restart()
	p.says("two")
	p.reloaded()
}

// A page that is not shown leaves its connection to others, and hears what it
// has missed when it is shown again.
func reloadsWhenShown(t *testing.T, browser context.Context) {
	w := startWork(t, nil, "index.html", "<!doctype html><p>one</p>")
	p := w.openPage(browser, "")
	show := func(state string) {
		ask[bool](p, `(Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => %s }), document.dispatchEvent(new Event('visibilitychange')))`, quote(state))
	}
	show("hidden")
	// Each change tells how many pages listen.
	for n := 0; !strings.Contains(w.stderr.text(), "pages=0"); n++ {
		w.write("index.html", "<!doctype html><p>two</p>")
		if n > 200 {
			t.Fatal("the page still listens")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !ask[bool](p, `window.marked === true`) {
		t.Error("a page that is not shown was loaded again")
	}
	show("visible")
	p.says("two")
	p.reloaded()
}

// A page that comes out of a cache is not loaded for ever.
func reloadsStaleOnce(t *testing.T, browser context.Context) {
	w := startWork(t, nil, "index.html", "<!doctype html><p>one</p>")
	target, err := url.Parse(w.page)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	loads, kept := 0, ""
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, FlushInterval: -1}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			proxy.ServeHTTP(rw, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		loads++
		if kept == "" {
			recorder := httptest.NewRecorder()
			proxy.ServeHTTP(recorder, r)
			kept = recorder.Body.String()
		}
		rw.Header().Set("Content-Type", "text/html")
		_, _ = rw.Write([]byte(kept))
	}))
	// After the tab has been closed, or a page that is loaded once more keeps it open.
	t.Cleanup(func() {
		srv.Listener.Close()
		srv.CloseClientConnections() // and the browser its connections
		srv.Close()
	})
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return loads
	}
	p := newTab(t, browser)
	p.atBirth(countsEvents)
	p.do(chromedp.Navigate(srv.URL))
	p.listens()
	w.write("app.js", "")
	if !p.eventually(func() bool { return count() == 3 }) { // for the change, and because it is stale
		t.Fatalf("loaded %d times", count())
	}
	if within(500*time.Millisecond, func() bool { return count() > 3 }) {
		t.Error("it is loaded again and again")
	}
	w.write("app.js", "2")
	if !p.eventually(func() bool { return count() > 3 }) {
		t.Error("it is not loaded again any more")
	}
}
