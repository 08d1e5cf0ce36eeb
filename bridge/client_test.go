package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// A client's lines go to the server's child and come back.
func TestClient(t *testing.T) {
	srv := serve(t, child(&Handler{}, "echo"))
	for _, in := range []string{"", "a\nb\n", "\n\n", strings.Repeat("x", 200_000) + "\n", strings.Repeat("short\n", 10_000)} {
		stdio := newConversation(in, len(in))
		end, err := (&Client{Stdin: stdio, Stdout: stdio}).Run(t.Context(), srv.URL)
		if err != nil || end != (Ending{1000, ""}) {
			t.Fatalf("%.20q: %v, %v", in, end, err)
		}
		if got := stdio.out.String(); got != in {
			t.Errorf("sent %.20q (%d), got %.20q (%d)", in, len(in), got, len(got))
		}
	}
}

// The end of the input ends its last line.
func TestClientWithoutANewline(t *testing.T) {
	srv := serve(t, child(&Handler{}, "ask", "well?"))
	var out bytes.Buffer
	c := &Client{Stdin: strings.NewReader("well?"), Stdout: &out, Linger: testLimit}
	end, err := c.Run(t.Context(), srv.URL)
	if want := (Ending{4042, "exit status 42"}); err != nil || end != want || out.String() != "well?\n" {
		t.Errorf("%q, %v, %v", out.String(), end, err)
	}
}

func TestClientChunks(t *testing.T) {
	srv := serve(t, child(&Handler{Framing: Chunks{}}, "echo"))
	sent := strings.Repeat("\x00\xff\n\x80", 50_000)
	stdio := newConversation(sent, len(sent))
	c := &Client{Stdin: stdio, Stdout: stdio, Framing: Chunks{}}
	if end, err := c.Run(t.Context(), srv.URL); err != nil || end.Code != 1000 {
		t.Fatal(end, err)
	}
	if stdio.out.String() != sent {
		t.Errorf("%d bytes came back as %d", len(sent), stdio.out.Len())
	}
}

// A conversation is the input and output of a Client. The input ends when so much
// output has come, however slow the machine is.
type conversation struct {
	in   strings.Reader
	out  bytes.Buffer
	want int
	all  chan struct{} // closed when it has come
}

func newConversation(in string, want int) *conversation {
	c := &conversation{want: want, all: make(chan struct{})}
	c.in.Reset(in)
	if want == 0 {
		close(c.all)
	}
	return c
}

func (c *conversation) Read(p []byte) (int, error) {
	if c.in.Len() > 0 {
		return c.in.Read(p)
	}
	select {
	case <-c.all:
	case <-time.After(testLimit): // the test fails for want of output
	}
	return 0, io.EOF
}

func (c *conversation) Write(p []byte) (int, error) {
	before := c.out.Len()
	c.out.Write(p)
	if before < c.want && c.out.Len() >= c.want {
		close(c.all)
	}
	return len(p), nil
}

// What a server sends right after its 101 is not lost, and how it closes is told.
func TestClientIsTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		child []string
		out   string
		want  Ending
	}{
		{[]string{"line", "3", "0", "1"}, "xxx\n\nx\n", Ending{1000, ""}},
		{[]string{"exit", "3"}, "", Ending{4003, "exit status 3"}},
	}
	for _, test := range tests {
		srv := serve(t, child(&Handler{}, test.child[0], test.child[1:]...))
		for range 20 {
			stdin, keep := io.Pipe()
			var out bytes.Buffer
			end, err := (&Client{Stdin: stdin, Stdout: &out}).Run(t.Context(), srv.URL)
			keep.Close()
			if err != nil || end != test.want || out.String() != test.out {
				t.Fatalf("%v: %q, %v, %v", test.child, out.String(), end, err)
			}
		}
	}
}

func TestClientIsStopped(t *testing.T) {
	h := child(&Handler{}, "echo")
	log := record(t, h)
	srv := serve(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	stdin, keep := io.Pipe()
	defer keep.Close()
	out, stdout := io.Pipe()
	defer out.Close()
	go func() {
		defer cancel()
		_, _ = io.WriteString(keep, "hello\n")
		_, _ = out.Read(make([]byte, 10)) // the server may know of the session before the client
	}()
	end, err := (&Client{Stdin: stdin, Stdout: stdout}).Run(ctx, srv.URL)
	if err != nil || end.Code != 1001 {
		t.Errorf("%v, %v", end, err)
	}
	log.wait(closedWith(1001))
}

// A command at each end: one asks, the other answers.
func TestClientCommand(t *testing.T) {
	t.Setenv(childVar, "1") // a client's command has the whole environment
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	h := child(&Handler{}, "ask", "well?")
	log := record(t, h)
	srv := serve(t, h)
	end, err := (&Client{Command: []string{self, "echo"}}).Run(t.Context(), srv.URL)
	if err != nil || end != (Ending{4042, "exit status 42"}) {
		t.Errorf("%v, %v", end, err)
	}
	log.wait(childEnded("exit status 42"))

	h = child(&Handler{}, "echo")
	log = record(t, h)
	end, err = (&Client{Command: []string{self, "exit", "3"}}).Run(t.Context(), serve(t, h).URL)
	if want := (Ending{4003, "exit status 3"}); err != nil || end != want {
		t.Errorf("%v, %v, want %v", end, err, want)
	}
	log.wait(closedWith(4003))
}

func TestClientCannotConnect(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	steering := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, _ := http.NewResponseController(w).Hijack()
		fmt.Fprint(nc, "HTTP/1.1 403 \x1b[31mred\r\nContent-Length: 8\r\n\r\n\x1b[31mred")
		nc.Close()
	}))
	defer steering.Close()
	circle := httptest.NewServer(http.RedirectHandler("/", http.StatusFound))
	defer circle.Close()
	for url, want := range map[string]string{
		steering.URL:          `403 Forbidden: "\x1b[31mred"`,
		circle.URL:            "stopped after 10 redirects",
		srv.URL:               `404 Not Found: "404 page not found"`,
		"ftp://127.0.0.1/":    `unexpected url scheme: "ftp"`,
		"ws://127.0.0.1:1/":   "connection refused",
		"ws://127.0.0.1:port": "invalid port",
	} {
		_, err := (&Client{Stdin: strings.NewReader(""), Stdout: io.Discard}).Run(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", url, err, want)
		}
	}
}

// A server that vanishes is told from one that closes.
func TestClientLosesTheServer(t *testing.T) {
	srv := handshakeThen(t, func(nc net.Conn) { fmt.Fprint(nc, "\x81\x02hi") })
	stdin, keep := io.Pipe()
	defer keep.Close()
	var out bytes.Buffer
	end, err := (&Client{Stdin: stdin, Stdout: &out}).Run(t.Context(), srv.URL)
	if err != nil || end.Code != 1006 || end.ExitStatus() != 1 || out.String() != "hi\n" {
		t.Errorf("%q, %v, %v", out.String(), end, err)
	}
}

// handshakeThen answers a handshake by hand and lets do go on.
func handshakeThen(t *testing.T, do func(net.Conn)) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		fmt.Fprint(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
			wiretest.AcceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
		do(nc)
	}))
	t.Cleanup(srv.Close)
	return srv
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left") }
func (failing) Read([]byte) (int, error)  { return 0, errors.New("is a directory") }

// An input or output that fails is no end of file.
func TestClientTellsOfItsOwnFailures(t *testing.T) {
	srv := serve(t, child(&Handler{}, "line", "100"))
	stdin, keep := io.Pipe()
	defer keep.Close()
	if _, err := (&Client{Stdin: stdin, Stdout: failing{}}).Run(t.Context(), srv.URL); err == nil || err.Error() != "cannot write output: no space left" {
		t.Errorf("stdout: %v", err)
	}
	srv = serve(t, child(&Handler{}, "echo"))
	if _, err := (&Client{Stdin: failing{}, Stdout: io.Discard}).Run(t.Context(), srv.URL); err == nil || err.Error() != "cannot read input: is a directory" {
		t.Errorf("stdin: %v", err)
	}
}

func TestClientOverTLS(t *testing.T) {
	srv := serveTLS(t, child(&Handler{}, "echo"))
	in := strings.Repeat(strings.Repeat("y", 99)+"\n", 20000)
	stdio := newConversation(in, len(in))
	end, err := (&Client{Stdin: stdio, Stdout: stdio,
		TLS: srv.Client().Transport.(*http.Transport).TLSClientConfig}).Run(t.Context(), srv.URL)
	if err != nil || end.Code != 1000 || stdio.out.String() != in {
		t.Errorf("%d bytes, %v, %v", stdio.out.Len(), end, err)
	}
}

// A handshake that fails after the 101 leaves no socket open.
func TestClientClosesAfterABadHandshake(t *testing.T) {
	t.Parallel()
	closed := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		fmt.Fprint(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n")
		nc.SetReadDeadline(time.Now().Add(testLimit))
		_, err = io.Copy(io.Discard, nc)
		closed <- err
	}))
	defer srv.Close()
	if _, err := (&Client{Stdin: strings.NewReader(""), Stdout: io.Discard}).Run(t.Context(), srv.URL); err == nil {
		t.Error("no error")
	}
	if err := <-closed; err != nil {
		t.Errorf("the socket was left open: %v", err)
	}
}
