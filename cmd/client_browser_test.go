package cmd

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestClient uses client.js in a real browser, on a page with a strict policy.
func TestClient(t *testing.T) {
	browser := startBrowser(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, browser context.Context)
	}{
		{"exactly once", clientExactlyOnce},
		{"states", clientStates},
		{"endings", clientEndings},
		{"forgotten", clientForgotten},
		{"reload", clientReload},
		{"bytes", clientBytes},
		{"renewal", clientRenewal},
		{"shared", clientShared},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, browser)
		})
	}
}

// A clientPage is a page that has the module, before a server of this test's.
type clientPage struct {
	*tab
	server *consoleServer
	way    *cutter
}

var brokenSocket = regexp.MustCompile(`WebSocket connection to|WebSocket is closed before`)

// openClient opens a page before a server with these arguments.
func openClient(t *testing.T, browser context.Context, args ...string) *clientPage {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"index.html": "<!doctype html><title>client</title><script type=module src=app.js></script>",
		"app.js": `import { ResumingSocket } from './.wsbridge/client.js';
			window.ResumingSocket = ResumingSocket;
			// Opens a socket and notes what it says.
			window.make = (...args) => {
				const socket = window.socket = new ResumingSocket(...args);
				socket.states = [], socket.lines = [], socket.events = [];
				socket.onstate = event => socket.states.push(event.detail);
				socket.onmessage = event => socket.lines.push(event.data);
				for (const type of ['open', 'error', 'close']) socket.addEventListener(type, event => socket.events.push(event));
				return true;
			};`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s := serveConsole(t, append([]string{"--staticdir=" + dir,
		"--header-http=Content-Security-Policy: default-src 'none'; script-src 'self'; connect-src 'self'"}, args...)...)
	p := &clientPage{newTab(t, browser), s, cutting(t, s.page)}
	p.forgiven = brokenSocket
	p.load()
	return p
}

// load loads the page, for another time if there is one.
func (p *clientPage) load() {
	p.Helper()
	p.do(chromedp.Navigate(p.way.page() + "index.html"))
	p.until(`window.make`)
}

// Numbered messages pass in both directions while the network loses the connection again
// and again: none is lost, none comes twice, and the order is kept.
func clientExactlyOnce(t *testing.T, browser context.Context) {
	n, most := 100_000, int64(150_000)
	if testing.Short() {
		n, most = 5_000, 30_000
	}
	p := openClient(t, browser, "--resume=5m", "child", "exchange", strconv.Itoa(n))
	p.way.most.Store(most)
	ask[bool](p.tab, `(n => {
		make('/');
		let sent = 0;
		window.got = 0, window.verdict = '', window.wrong = '';
		socket.onmessage = ({ data }) => {
			if (got < n && data === 'out ' + (got + 1)) got++;
			else if (got === n) verdict = data;
			else wrong ||= data + ' after ' + got;
		};
		(function send() {
			for (let i = 0; i < 500 && sent < n && socket.bufferedAmount < 1 << 16; i++) socket.send('in ' + ++sent);
			if (sent < n) setTimeout(send);
		})();
		return true;
	})(%d)`, n)
	for deadline, before := time.Now().Add(patience), 0.0; ; time.Sleep(50 * time.Millisecond) {
		now := ask[struct {
			Got, Unsent, State float64
			Wrong, Verdict     string
		}](p.tab, `({ got, wrong, verdict, unsent: socket.bufferedAmount, state: socket.readyState })`)
		if now.Wrong != "" || now.State == 3 {
			t.Fatalf("after %d cuts: %+v\nThe server says:\n%s", p.way.cuts.Load(), now, p.server.stderr.text())
		}
		if now.Verdict != "" {
			if now.Verdict != "all in order" || now.Got != float64(n) {
				t.Errorf("%+v", now)
			}
			break
		}
		if sum := now.Got + now.Unsent; sum != before {
			before, deadline = sum, time.Now().Add(patience)
		}
		if time.Now().After(deadline) {
			t.Fatalf("no progress: %+v after %d cuts", now, p.way.cuts.Load())
		}
	}
	t.Logf("%d cuts", p.way.cuts.Load())
	if p.way.cuts.Load() < 3 {
		t.Error("it was too easy")
	}
}
