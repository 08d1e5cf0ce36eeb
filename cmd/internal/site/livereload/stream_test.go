package livereload

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

	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// newServer serves the stream, as the program does, to clients that may stall for
// a time.
func newServer(t *testing.T, http2 bool, beat, stall time.Duration) (*Reloader, *httptest.Server) {
	t.Helper()
	l := New(true, beat, slog.New(slog.DiscardHandler))
	srv := httptest.NewUnstartedServer(site.WithoutStalls(l.Handler(nil), stall, stall))
	srv.EnableHTTP2 = http2
	if http2 {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(func() {
		l.Close()
		srv.Close()
	})
	return l, srv
}

// A page listens to the stream.
type page struct {
	*testing.T
	*http.Response
	lines *bufio.Scanner
	leave func()
}

func listenTo(t *testing.T, srv *httptest.Server, header ...string) *page {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+Stream, nil)
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
	p := &page{t, resp, bufio.NewScanner(resp.Body), func() {
		cancel()
		resp.Body.Close()
	}}
	t.Cleanup(p.leave)
	return p
}

// next is the next line of the stream that is not empty, without the server's name.
func (p *page) next(l *Reloader) string {
	p.Helper()
	for p.lines.Scan() {
		if line := p.lines.Text(); line != "" {
			return strings.ReplaceAll(line, l.run, "RUN")
		}
	}
	p.Fatalf("the stream has ended: %v", p.lines.Err())
	return ""
}

func TestStream(t *testing.T) {
	l, srv := newServer(t, false, time.Minute, patience)
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
		{[]string{"."}, `data: {"version":"RUN.5"}`},
		{many, `data: {"version":"RUN.6"}`},
	} {
		if test.names != nil {
			l.Changed(test.names)
		}
		if got := p.next(l); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	l.Changed([]string{"a.css"})
	if got := listenTo(t, srv).next(l); got != `data: {"version":"RUN.7"}` {
		t.Errorf("a page that comes later is told %s", got)
	}
}

// Who has missed a version is told of no style sheets alone.
func TestMissed(t *testing.T) {
	l := New(true, time.Minute, slog.New(slog.DiscardHandler))
	w := &slowRecorder{ResponseRecorder: httptest.NewRecorder(), flushing: make(chan bool), flushed: make(chan bool)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.serve(w, httptest.NewRequestWithContext(ctx, "GET", Stream, nil))
	}()
	<-w.flushing
	l.Changed([]string{"a.html"})
	l.Changed([]string{"a.css"})
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
func TestPages(t *testing.T) {
	l, srv := newServer(t, false, time.Minute, patience)
	for _, from := range []string{"cross-site", "same-site"} {
		if p := listenTo(t, srv, "Sec-Fetch-Site", from); p.StatusCode != 403 {
			t.Errorf("%s: %s", from, p.Status)
		}
	}
	var pages []*page
	for range maxPages {
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
	l.Close()
	l.Close()
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
func TestSilence(t *testing.T) {
	for proto := 1; proto <= 2; proto++ {
		t.Run(fmt.Sprint("HTTP ", proto), func(t *testing.T) {
			t.Parallel()
			l, srv := newServer(t, proto == 2, 600*time.Millisecond, 2*time.Second)
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
			l.Changed([]string{"a.html"})
			if got := p.next(l); got != `data: {"version":"RUN.1"}` {
				t.Errorf("got %q", got)
			}
		})
	}
}
