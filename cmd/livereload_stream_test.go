package cmd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/watch"
)

// newReloads serves the stream, as the program does.
func newReloads(t *testing.T, http2 bool) (*liveReload, *httptest.Server) {
	t.Helper()
	l := newLiveReload(true, slog.New(slog.DiscardHandler))
	srv := httptest.NewUnstartedServer(withoutStalls(withHeaders(routes{l.serve}, nil, nil, nil)))
	srv.EnableHTTP2 = http2
	if http2 {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(func() {
		l.close()
		srv.Close()
	})
	return l, srv
}

// A reloadPage listens to the stream.
type reloadPage struct {
	*testing.T
	*http.Response
	lines *bufio.Scanner
	leave func()
}

func listenTo(t *testing.T, srv *httptest.Server, header ...string) *reloadPage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+reloadStream, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	p := &reloadPage{t, resp, bufio.NewScanner(resp.Body), func() {
		cancel()
		resp.Body.Close()
	}}
	t.Cleanup(p.leave)
	return p
}

// next is the next line of the stream that is not empty, without the server's name.
func (p *reloadPage) next(l *liveReload) string {
	p.Helper()
	for p.lines.Scan() {
		if line := p.lines.Text(); line != "" {
			return strings.ReplaceAll(line, l.run, "RUN")
		}
	}
	p.Fatalf("the stream has ended: %v", p.lines.Err())
	return ""
}

func TestReloadStream(t *testing.T) {
	l, srv := newReloads(t, false)
	p := listenTo(t, srv, "Sec-Fetch-Site", "same-origin")
	if got := p.Header.Get("Content-Type") + " " + p.Header.Get("Cache-Control"); got != "text/event-stream no-store" {
		t.Errorf("got %s", got)
	}
	many := make([]string, maxStyles+1)
	for i := range many {
		many[i] = strings.Repeat("x", i) + ".css"
	}
	for _, test := range []struct {
		names []string
		want  string
	}{
		{nil, `data: {"version":"RUN.0"}`},
		{[]string{"a.html"}, `data: {"version":"RUN.1"}`},
		{[]string{"a.css"}, `data: {"version":"RUN.2","styles":["/a.css"]}`},
		{[]string{"sub/ä b.css", "x.css"}, `data: {"version":"RUN.3","styles":["/sub/%C3%A4%20b.css","/x.css"]}`},
		{[]string{"a.css", "b.js"}, `data: {"version":"RUN.4"}`},
		{[]string{watch.WholeTree}, `data: {"version":"RUN.5"}`},
		{many, `data: {"version":"RUN.6"}`},
	} {
		if test.names != nil {
			l.changed(test.names)
		}
		if got := p.next(l); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	l.changed([]string{"a.css"})
	if got := listenTo(t, srv).next(l); got != `data: {"version":"RUN.7"}` {
		t.Errorf("a page that comes later is told %s", got)
	}
}

// Who has missed a version is told of no style sheets alone.
func TestReloadMissed(t *testing.T) {
	l := newLiveReload(true, slog.New(slog.DiscardHandler))
	w := &slowRecorder{ResponseRecorder: httptest.NewRecorder(), flushing: make(chan bool), flushed: make(chan bool)}
	ctx, cancel := context.WithCancel(t.Context())
	done := begin(func() { l.serve(w, httptest.NewRequestWithContext(ctx, "GET", reloadStream, nil)) })
	<-w.flushing
	l.changed([]string{"a.html"})
	l.changed([]string{"a.css"})
	w.flushed <- true
	<-w.flushing
	cancel()
	w.flushed <- true
	<-done
	if got := strings.ReplaceAll(w.Body.String(), l.run, "RUN"); !strings.HasSuffix(got, "data: {\"version\":\"RUN.2\"}\n\n") {
		t.Errorf("told %q", got)
	}
}

// A slowRecorder lets each flush wait.
type slowRecorder struct {
	*httptest.ResponseRecorder
	flushing, flushed chan bool
}

func (w *slowRecorder) FlushError() error {
	w.flushing <- true
	<-w.flushed
	return nil
}

// Pages of others, and too many, get nothing; the places of those who have
// gone are free.
func TestReloadPages(t *testing.T) {
	l, srv := newReloads(t, false)
	for _, site := range []string{"cross-site", "same-site"} {
		if p := listenTo(t, srv, "Sec-Fetch-Site", site); p.StatusCode != 403 {
			t.Errorf("%s: %s", site, p.Status)
		}
	}
	var pages []*reloadPage
	for range maxReloadPages {
		p := listenTo(t, srv)
		p.next(l)
		pages = append(pages, p)
	}
	if p := listenTo(t, srv); p.StatusCode != 503 {
		t.Errorf("got %s", p.Status)
	}
	pages[0].leave()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		p := listenTo(t, srv)
		if p.StatusCode == 200 {
			break
		}
		p.leave()
		if time.Now().After(deadline) {
			t.Fatal("a page that has gone keeps its place")
		}
	}
	l.close()
	l.close()
	for _, p := range pages[1:] {
		if rest, err := io.ReadAll(p.Body); err != nil {
			t.Errorf("the end of the stream: %q, %v", rest, err)
		}
	}
	if p := listenTo(t, srv); p.StatusCode != 503 {
		t.Errorf("after the end: %s", p.Status)
	}
}

// Silence for longer than a client may stall does not end the stream.
func TestReloadSilence(t *testing.T) {
	before := stallTimeout
	t.Cleanup(func() { stallTimeout = before })
	stallTimeout = 2 * time.Second
	for proto := 1; proto <= 2; proto++ {
		t.Run(fmt.Sprint("HTTP ", proto), func(t *testing.T) {
			t.Parallel()
			l, srv := newReloads(t, proto == 2)
			l.beat = 600 * time.Millisecond
			p := listenTo(t, srv)
			if p.ProtoMajor != proto {
				t.Errorf("the answer is in %s", p.Proto)
			}
			p.next(l)
			for range 4 {
				if got := p.next(l); got != ":" {
					t.Errorf("got %q", got)
				}
			}
			l.changed([]string{"a.html"})
			if got := p.next(l); got != `data: {"version":"RUN.1"}` {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A page that listens does not hold up the end of the server.
func TestServeEndsWithAStream(t *testing.T) {
	defer func(d time.Duration) { pageGrace = d }(pageGrace)
	pageGrace = time.Hour
	for proto := 1; proto <= 2; proto++ {
		s := startTLS(t, "--livereload", "--staticdir="+site(t), "child", "echo")
		transport := &http.Transport{TLSClientConfig: s.config.Clone(), ForceAttemptHTTP2: proto == 2}
		resp, err := (&http.Client{Transport: transport}).Get("https://" + s.addr + reloadStream)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.ProtoMajor != proto {
			t.Errorf("the answer is in %s", resp.Proto)
		}
		s.stop()
		if rest, err := io.ReadAll(resp.Body); err != nil || !strings.HasPrefix(string(rest), "data: ") {
			t.Errorf("the stream: %q, %v", rest, err)
		}
		if err := receive(t, s.ended); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
	}
}
