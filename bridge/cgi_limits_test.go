package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// The body of a request reaches the program whole.
func TestCGIBody(t *testing.T) {
	h := &Handler{Bounds: Bounds{MaxMessageSize: 200_000}}
	withCGI(t, h)
	srv := serve(t, h)
	full := strings.Repeat("x", 200_000)
	for _, test := range []struct {
		name, path, body string
		want             string
	}{
		{"small", asked("size"), "hello", "5"},
		{"more than a pipe holds", asked("size"), full, "200000"},
		{"not read by the program", asked("spill&3"), full, "\x00\x00\x00"},
	} {
		for _, body := range []io.Reader{strings.NewReader(test.body), io.MultiReader(strings.NewReader(test.body))} { // in chunks
			if resp, got := request(t, srv, "POST", test.path, body); resp.StatusCode != 200 || got != test.want {
				t.Errorf("%s: %s %q", test.name, resp.Status, got)
			}
		}
	}
}

// A body that is too large or not whole starts no program.
func TestCGIBadBody(t *testing.T) {
	h := &Handler{Bounds: Bounds{MaxMessageSize: 10}}
	withCGI(t, h)
	log := record(t, h)
	srv := serve(t, h)
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"too large", "Content-Length: 11\r\n\r\nhello world", 413},
		{"too large, and not sent", "Content-Length: 1000000000\r\n\r\n", 413},
		{"too large, in chunks", "Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n", 413},
		{"cut off", "Content-Length: 10\r\n\r\nhello", 400},
		{"cut off, in chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 400},
		{"bad chunks", "Transfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n", 400},
	} {
		p := dial(t, srv.Listener.Addr().String())
		fmt.Fprintf(p, "POST %s HTTP/1.1\r\nHost: localhost\r\n%s", asked("size"), test.request)
		p.CloseWrite()
		if status := p.status(); status != test.status {
			t.Errorf("%s: %d", test.name, status)
		}
	}
	log.wait(refusedFor(RuleBodySize))
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the places" })
	if log.has(an[CGIEnded]()) {
		t.Errorf("a program was started:\n%s", log)
	}
}

// Programs and sessions share one limit.
func TestCGICounts(t *testing.T) {
	t.Parallel()
	for _, h := range []*Handler{{Limits: &Limits{MaxForks: 1}}, {Limits: &Limits{MaxPerAddress: 1}}} {
		withCGI(t, h)
		log := record(t, h)
		srv := serve(t, h)
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "GET", srv.URL+asked("begin&mild"), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if status := handshake(t, srv); status != 429 {
			t.Errorf("a session beside the program: %d", status)
		}
		if resp, _ := request(t, srv, "GET", asked("tell"), nil); resp.StatusCode != 429 {
			t.Errorf("a second program: %s", resp.Status)
		}
		if resp, _ := request(t, srv, "GET", "/none", nil); resp.StatusCode != 404 {
			t.Errorf("no program: %s", resp.Status)
		}
		cancel()
		resp.Body.Close()
		log.wait(an[CGIEnded]())
		until(t, func() bool { return h.sessions() == 0 }, func() string { return "the place" })

		p := connect(t, srv)
		if resp, body := request(t, srv, "GET", asked("tell"), nil); resp.StatusCode != 429 || disclosed(body) != nil {
			t.Errorf("a program beside a session: %s %q", resp.Status, body)
		}
		p.write(closing(1000, ""))
		p.wantClose(Ending{1000, ""})
		p.Close()
		until(t, func() bool { return h.sessions() == 0 }, func() string { return "the place" })
		if resp, _ := request(t, srv, "GET", asked("tell"), nil); resp.StatusCode != 200 {
			t.Errorf("the place is not free: %s", resp.Status)
		}
	}
}

// A page that may not open a WebSocket may not run a program either. What
// sends no Origin, such as a link on that page, is let in.
func TestCGIOrigin(t *testing.T) {
	origin, err := ParseOrigin("https://good.example")
	if err != nil {
		t.Fatal(err)
	}
	h := &Handler{Gate: &Gate{Origins: []Origin{origin}}}
	withCGI(t, h)
	srv := serve(t, h)
	for _, test := range []struct {
		origin string
		status int
	}{{"", 200}, {srv.URL, 200}, {"https://good.example", 200}, {"http://evil.example", 403}, {"null", 403}} {
		for _, method := range []string{"GET", "POST"} {
			var header []string
			if test.origin != "" {
				header = []string{"Origin", test.origin}
			}
			if resp, _ := request(t, srv, method, asked("tell"), nil, header...); resp.StatusCode != test.status {
				t.Errorf("%s from %q: %s", method, test.origin, resp.Status)
			}
		}
	}
}

// Nor may it by what a browser asks for without an Origin.
func TestCGIOtherSite(t *testing.T) {
	h := &Handler{}
	withCGI(t, h)
	srv := serve(t, h)
	for dest, status := range map[string]int{"document": 200, "iframe": 403} {
		resp, _ := request(t, srv, "GET", asked("tell"), nil, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", dest)
		if resp.StatusCode != status {
			t.Errorf("%s: %s", dest, resp.Status)
		}
	}
}

// A shutdown waits for programs, for a while: however deaf one is and however
// slow its client.
func TestCGIShutdown(t *testing.T) {
	t.Parallel()
	h := &Handler{}
	withCGI(t, h)
	srv := tightServer(t, h)
	tests := []struct {
		name, request string
		status        int
		peer          *peer
	}{
		{name: "in the middle of an answer", request: "GET " + asked("begin") + " HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 200},
		{name: "before an answer", request: "GET " + asked("mute") + " HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 503},
		{name: "in the middle of a body", request: "POST " + asked("tell") + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf", status: 503},
		{name: "a client that does not read", request: "GET " + asked("spill&50000000") + " HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	}
	for i := range tests {
		p := dial(t, srv.Listener.Addr().String())
		p.SetReadBuffer(4 << 10)
		fmt.Fprint(p, tests[i].request)
		tests[i].peer = p
	}
	if _, err := tests[0].peer.r.Peek(1); err != nil {
		t.Error(err)
	}
	until(t, func() bool { return h.sessions() == len(tests) }, func() string { return "the requests" })
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for _, test := range tests {
		if test.status == 0 {
			continue
		}
		resp, err := http.ReadResponse(test.peer.r, nil)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		// What was cut off must not look whole.
		body, err := io.ReadAll(resp.Body)
		if resp.StatusCode != test.status || (err == nil) != (test.status == 503) {
			t.Errorf("%s: %s %q, %v", test.name, resp.Status, body, err)
		}
	}
}

// A shutdown that is in a hurry waits for nobody.
func TestCGIShutdownAtOnce(t *testing.T) {
	h := &Handler{Bounds: Bounds{Grace: testLimit}}
	withCGI(t, h)
	log := record(t, h)
	p := dial(t, serve(t, h).Listener.Addr().String())
	fmt.Fprintf(p, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", asked("begin"))
	if _, err := p.r.Peek(1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	log.wait(childEnded("signal: "))
}

// A program that goes away between the lookup and the start.
func TestCGIRace(t *testing.T) {
	h := &Handler{}
	root := withCGI(t, h)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", asked("tell"), removingBody{root})
	r.Host = "localhost"
	if !h.ServeCGI(w, r, root) {
		t.Fatal("the program was not found")
	}
	if w.Code != 500 || w.Body.String() != "command not found\n" || h.sessions() != 0 {
		t.Errorf("%d %q, %d sessions", w.Code, w.Body, h.sessions())
	}
}

// removingBody removes the program when the body is read, which is after the lookup.
type removingBody struct{ root *os.Root }

func (b removingBody) Read([]byte) (int, error) {
	b.root.Remove("sub/asked" + exe)
	return 0, io.EOF
}

// For a client that is gone already nothing is started.
func TestCGIGoneBefore(t *testing.T) {
	h := &Handler{}
	root := withCGI(t, h)
	log := record(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", asked("tell"), nil)
	r.Host = "localhost"
	if !h.ServeCGI(httptest.NewRecorder(), r, root) {
		t.Fatal("the program was not found")
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if log.has(an[CGIEnded]()) || log.has(an[NotStarted]()) {
		t.Errorf("it was started: %s", log)
	}
}

// A client that says more than it should is answered, and what it said is not
// taken for another request.
func TestCGITooMuch(t *testing.T) {
	h := &Handler{Bounds: Bounds{MaxMessageSize: 10}}
	withCGI(t, h)
	log := record(t, h)
	srv := serve(t, h)
	p := dial(t, srv.Listener.Addr().String())
	smuggled := "GET " + asked("tell") + " HTTP/1.1\r\nHost: localhost\r\n\r\n"
	fmt.Fprintf(p, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", asked("size"), len(smuggled), smuggled)
	if status := p.status(); status != 413 {
		t.Errorf("got %d", status)
	}
	fmt.Fprintf(p, "GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	rest, _ := io.ReadAll(p.r)
	if bytes.Contains(rest, []byte("200 OK")) || log.has(an[CGIEnded]()) {
		t.Errorf("%q, %s", rest, log)
	}
}
