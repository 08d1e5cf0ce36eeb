package bridge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// A client's lines go to the server's child and come back.
func TestClient(t *testing.T) {
	srv := serve(t, child(&Handler{}, "echo"))
	for _, in := range []string{"", "a\nb\n", "no newline", "\n\n", strings.Repeat("x", 200_000) + "\n", strings.Repeat("short\n", 10_000)} {
		var out bytes.Buffer
		c := &Client{Stdin: strings.NewReader(in), Stdout: &out, Linger: time.Second}
		end, err := c.Run(t.Context(), srv.URL)
		if err != nil || end != (Close{1000, ""}) {
			t.Fatalf("%.20q: %v, %v", in, end, err)
		}
		if want := strings.TrimSuffix(in, "\n") + "\n"; in != "" && out.String() != want {
			t.Errorf("sent %.20q (%d), got %.20q (%d)", in, len(in), out.String(), out.Len())
		}
	}
}

func TestClientChunks(t *testing.T) {
	srv := serve(t, child(&Handler{Framing: Chunks}, "echo"))
	sent := bytes.Repeat([]byte("\x00\xff\n\x80"), 50_000)
	var out bytes.Buffer
	c := &Client{Stdin: bytes.NewReader(sent), Stdout: &out, Linger: time.Second, Framing: Chunks}
	if end, err := c.Run(t.Context(), srv.URL); err != nil || end.Code != 1000 {
		t.Fatal(end, err)
	}
	if !bytes.Equal(out.Bytes(), sent) {
		t.Errorf("%d bytes came back as %d", len(sent), out.Len())
	}
}

// What a server sends right after its 101 is not lost, and how it closes is told.
func TestClientIsTold(t *testing.T) {
	tests := []struct {
		child []string
		out   string
		want  Close
	}{
		{[]string{"line", "3", "0", "1"}, "xxx\n\nx\n", Close{1000, ""}},
		{[]string{"exit", "3"}, "", Close{4003, "exit status 3"}},
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
	log := newLog(t, h)
	srv := serve(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	stdin, keep := io.Pipe()
	defer keep.Close()
	go func() {
		log.wait("msg=open")
		cancel()
	}()
	end, err := (&Client{Stdin: stdin, Stdout: io.Discard}).Run(ctx, srv.URL)
	if err != nil || end.Code != 1001 {
		t.Errorf("%v, %v", end, err)
	}
	log.wait("code=1001")
}

// A command at each end: one asks, the other answers.
func TestClientCommand(t *testing.T) {
	t.Setenv(childVar, "1") // a client's command has the whole environment
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	h := child(&Handler{}, "ask", "well?")
	log := newLog(t, h)
	srv := serve(t, h)
	end, err := (&Client{Command: []string{os.Args[0], "echo"}}).Run(t.Context(), srv.URL)
	if err != nil || end != (Close{4042, "exit status 42"}) {
		t.Errorf("%v, %v", end, err)
	}
	log.wait("msg=close")

	h = child(&Handler{}, "echo")
	log = newLog(t, h)
	end, err = (&Client{Command: []string{os.Args[0], "exit", "3"}}).Run(t.Context(), serve(t, h).URL)
	if want := (Close{4003, "exit status 3"}); err != nil || end != want {
		t.Errorf("%v, %v, want %v", end, err, want)
	}
	log.wait("code=4003")
}

func TestClientCannotConnect(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	for url, want := range map[string]string{
		srv.URL:               "404 Not Found: 404 page not found",
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
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
			acceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n\x81\x02hi")
		nc.Close()
	}))
	defer srv.Close()
	stdin, keep := io.Pipe()
	defer keep.Close()
	var out bytes.Buffer
	end, err := (&Client{Stdin: stdin, Stdout: &out}).Run(t.Context(), srv.URL)
	if err != nil || end.Code != 1006 || end.ExitStatus() != 1 || out.String() != "hi\n" {
		t.Errorf("%q, %v, %v", out.String(), end, err)
	}
}
