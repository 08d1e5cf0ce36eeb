package cmd

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/coder/websocket"

	"github.com/wsbridge/wsbridge/cmd/internal/site/console"
)

// How the console connects, and connects again, one function for each case of
// TestConsole.

func consoleReconnects(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	p.forgiven = regexp.MustCompile("ERR_CONNECTION_REFUSED")
	p.click("#reconnect")
	p.send("before")
	p.row("received", "before")
	s.stop()
	p.until(`document.querySelector('#state').dataset.state === 'waiting'`)
	if runtime.GOOS != "windows" {
		p.row("note", "1001: the server is shutting down")
	}
	p.until(`/^next attempt in \d+ s$/.test(document.querySelector('#next').textContent)`)
	s.restart()
	p.sentence("Connected")
	p.until(`document.querySelector('#next').textContent === ''`)
	p.send("after")
	p.row("received", "after")

	// Whoever does not want it any more says so.
	p.send("exit 3")
	p.until(`document.querySelector('#state').dataset.state === 'waiting'`)
	p.click("#reconnect")
	p.until(`document.querySelector('#state').dataset.state === 'closed'`)
}

// A server that ends connections for a new command finds the page again, which
// was not told to reconnect after others.
func consoleRestart(t *testing.T, browser context.Context) {
	page := console.New(console.Options{}, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			page.ServeHTTP(w, r)
			return
		}
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		_, order, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		code, err := strconv.Atoi(string(order))
		if err != nil {
			t.Error(err)
		}
		ws.Close(websocket.StatusCode(code), "")
	}))
	defer server.Close()
	p := openConsole(t, browser, server.URL)
	for range 2 {
		p.send("1012")
		p.row("note", "1012: the command is being restarted")
		p.sentence("Connected")
		p.click("#clear")
		p.until(`document.querySelectorAll('.row:not([hidden])').length === 0`)
	}
	p.send("1001")
	p.sentence("1001: the server has ended the connection")
	p.until(`document.querySelector('#state').dataset.state === 'closed'`)
}

// A reload goes on as before, for those who asked for that; nothing else
// connects without being asked.
func consoleReload(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	p.click("#reconnect")
	p.send("before")
	p.row("received", "before")
	p.do(chromedp.Reload())
	p.sentence("Connected")
	p.do(chromedp.Navigate(s.page + "?other"))
	p.sentence("Not connected")
	p.do(chromedp.Navigate(s.page))
	p.sentence("Not connected")
	s.reports.wait("Opened", 2, nil)
	if n := s.reports.count("Opened"); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func consoleAddress(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "env", "QUERY_STRING", "REQUEST_URI")
	p := openConsole(t, browser, s.page)
	enter := func(address string) {
		p.write("#address", address)
		p.press(kb.Enter)
	}
	enter(s.page + "typed?a=1&b=%22#fragment")
	p.row("received", "QUERY_STRING=a=1&b=%22 true")
	p.row("received", "REQUEST_URI=/typed?a=1&b=%22 true")
	p.sentence("1000: the command ended with exit status 0")
	p.do(chromedp.Reload())
	p.until(`document.querySelector('#address').value.endsWith('/typed?a=1&b=%%22')`)
	enter("/short?c=2")
	p.row("received", "QUERY_STRING=c=2 true")
	p.sentence("1000: the command ended with exit status 0")
	enter("ws://example.com/")
	p.sentence("Not connected: this page may connect only to the server that it came from, " + strings.Trim(s.page, "htp:/"))
	enter("http://[")
	p.sentence("Not connected: this address is not a URL")
}

func consoleProxy(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "env", "REQUEST_URI")
	target, err := url.Parse(s.page)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, "/tools/socket")
		r.Out.URL.RawPath = ""
	}})
	defer proxy.Close()
	p := openConsole(t, browser, proxy.URL+"/tools/socket/deep?a=1")
	p.click("#toggle")
	p.row("received", "REQUEST_URI=/deep?a=1 true")
	p.sentence("1000: the command ended with exit status 0")
}

// A refusal is told from a server that is not there.
func consoleRefused(t *testing.T, browser context.Context) {
	s := serveConsole(t, "--maxforks=1", "--sameorigin", "child", "obey")
	target, err := url.Parse(s.page)
	if err != nil {
		t.Fatal(err)
	}
	// A proxy that answers handshakes and the console's question by the path, but for /through.
	asked := make(chan struct{}, 1)
	through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Sec-Fetch-Dest") == "document" || r.URL.Path == "/through":
			through.ServeHTTP(w, r)
		case r.Header.Get("Upgrade") != "":
			w.WriteHeader(http.StatusBadRequest)
		case r.URL.Path == "/login":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case r.URL.Path == "/broken":
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html>a page of the proxy's</html>"))
		case r.URL.Path == "/plain":
			w.WriteHeader(http.StatusNoContent)
		default:
			asked <- struct{}{}
			<-r.Context().Done()
		}
	}))
	defer proxy.Close()

	first, second := openConsole(t, browser, s.page), openConsole(t, browser, s.page+"path?a=1")
	first.send("the only one")
	first.row("received", "the only one")
	second.forgiven = regexp.MustCompile("Unexpected response code: 429|status of 429")
	second.send("one too many")
	second.sentence("429: too many sessions")
	second.row("note", "429: too many sessions")
	second.until(`document.querySelector('#line').value === 'one too many' && document.querySelector('#state').dataset.end === 'bad'`)
	first.send("exit 0")
	first.sentence("1000: the command ended with exit status 0")
	second.press(kb.Enter)
	second.row("received", "one too many")
	second.click("#toggle")
	second.sentence("Disconnected")

	open := func(path string) *tab {
		p := openConsole(t, browser, proxy.URL+path)
		p.forgiven = regexp.MustCompile("Unexpected response code|Error during WebSocket handshake|status of")
		p.click("#toggle")
		return p
	}
	for path, want := range map[string]string{
		"/through": "403: origin not allowed",
		"/login":   "1006: no connection: the server redirects this address, perhaps to a login",
		"/broken":  "502: Bad Gateway",
		"/plain":   "1006: no connection, but the server would accept one now: try again; a proxy on the way may not pass WebSockets on",
	} {
		open(path).sentence(want)
	}
	// Nobody has to wait for the answer.
	p := open("/slow")
	<-asked
	p.sentence("Connecting")
	p.click("#toggle")
	p.sentence("Disconnected")
}
