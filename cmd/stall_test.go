package cmd

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/listen"
	"github.com/wsbridge/wsbridge/cmd/internal/site"
	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// A body that nobody wants is not waited for.
func TestBodiesThatNeverCome(t *testing.T) {
	addr, _ := openWith(t, timeouts{header: 50 * time.Millisecond}, "--staticdir="+sitetest.Public(t), "child", "echo", "0")
	const post = "POST / HTTP/1.1\r\nHost: localhost\r\n"
	for _, test := range []struct {
		request string
		status  int
	}{
		{post + "Content-Length: 100\r\n\r\n", 405},
		{post + "Content-Length: 100\r\n\r\nbegun", 405},
		{post + "Transfer-Encoding: chunked\r\n\r\n", 405},
		{post + "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n", 405},
		{"POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n", 404},
		{toLocalhost + "Content-Length: 100\r\n\r\n", 200},
		{upgrade + "Content-Length: 100\r\n\r\n", 400},
	} {
		w := dial(t, addr)
		w.say(test.request)
		if status, text := w.answer("POST"); status != test.status {
			t.Errorf("%q: %q", test.request, text)
		}
		if rest, err := io.ReadAll(w); len(rest) > 0 || err != nil && !isEnd(err) {
			t.Errorf("%q: then %q, %v", test.request, rest, err)
		}
	}
}

// served serves h as the program does, over TLS if asked, to clients that may
// stall for a time, and returns the address.
func served(t *testing.T, h http.Handler, stall time.Duration, secure bool) string {
	t.Helper()
	listeners, err := listen.TCP(t.Context(), []string{"127.0.0.1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	ln, log := listeners[0], slog.New(slog.DiscardHandler)
	if secure {
		c, err := listen.NewCredentials(listen.CertificateFiles{}, nil, log)
		if err != nil {
			t.Fatal(err)
		}
		ln = c.Listener(ln)
	}
	srv := listen.NewServer(site.WithoutStalls(h, time.Minute, stall), time.Minute, stall, log)
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { srv.Close() })
	return ln.Addr().String()
}

// askByHTTP2 asks for a page, of which the server may send as much as it
// likes, and reads nothing.
func askByHTTP2(t *testing.T, addr string) {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	frames := []string{
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + "\x00\x04\x7f\xff\xff\xff",           // SETTINGS: the window of streams
		"\x00\x00\x04\x08\x00\x00\x00\x00\x00" + "\x7f\xff\x00\x00",                   // WINDOW_UPDATE: that of all together
		"\x00\x00\x0e\x01\x05\x00\x00\x00\x01" + "\x82\x87\x84" + "\x01\x09localhost", // HEADERS: GET, https, /
	}
	if _, err := io.WriteString(c, strings.Join(frames, "")); err != nil {
		t.Fatal(err)
	}
}

// An answer that nobody reads is given up. Over HTTP/2 that is more than the
// end of a stream: what is to tell the client of that waits behind the answer.
func TestAnswersThatNobodyReads(t *testing.T) {
	for _, test := range []struct{ flush, http2 bool }{{}, {flush: true}, {http2: true}, {flush: true, http2: true}} {
		failed := make(chan error, 1)
		addr := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var err error
			for piece := make([]byte, 32<<10); err == nil; {
				_, err = w.Write(piece)
				if test.flush && err == nil {
					err = http.NewResponseController(w).Flush()
				}
			}
			failed <- err
		}), 50*time.Millisecond, test.http2)
		if test.http2 {
			askByHTTP2(t, addr)
		} else {
			dial(t, addr).say(toLocalhost + "\r\n")
		}
		select {
		case err := <-failed:
			if isEnd(err) && !test.http2 { // there the end of the connection may be told instead
				t.Errorf("%+v: %v", test, err)
			}
		case <-time.After(patience):
			t.Fatalf("%+v: the server still writes", test)
		}
	}
}

// An answer may take its time, and a WebSocket all the time there is.
func TestStallsThatAreNone(t *testing.T) {
	const stall = 200 * time.Millisecond // in which a slow machine has to begin a write
	const long = 2 * stall
	addr := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hijack" {
			_, _ = io.WriteString(w, "begun, ")
			time.Sleep(long)
			return
		}
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		go func(nc net.Conn) {
			defer nc.Close()
			time.Sleep(long)
			_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}(nc)
	}), stall, false)
	for _, path := range []string{"/", "/hijack"} {
		w := dial(t, addr)
		w.say("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if status, text := w.answer("GET"); status != 200 {
			t.Errorf("%s: %q", path, text)
		}
	}
}

// Of what net/http logs, the server's own troubles are errors.
func TestHTTPLog(t *testing.T) {
	var log bytes.Buffer
	srv := listen.NewServer(http.NotFoundHandler(), time.Minute, time.Minute, newLogger(&log, "error", "text"))
	srv.ErrorLog.Printf("http: TLS handshake error from %s: EOF", "192.0.2.1:1")
	if log.Len() > 0 {
		t.Errorf("what strangers do is logged: %s", &log)
	}
	for _, line := range []string{"http: Accept error: too many open files; retrying in 1s", "http: panic serving 192.0.2.1:1: oh"} {
		log.Reset()
		srv.ErrorLog.Print(line)
		if got := log.String(); !strings.Contains(got, "level=error") || !strings.Contains(got, line) {
			t.Errorf("%q is logged as %q", line, got)
		}
	}
}
