package cmd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// What holds for sessions holds for those over TLS.
func TestSessionsOverTLS(t *testing.T) {
	for _, test := range []struct {
		name  string
		child []string
		act   func(s *tlsServer, c *websocket.Conn) error
		lines int
		code  websocket.StatusCode
	}{
		{"echo", []string{"echo", "3"}, func(_ *tlsServer, c *websocket.Conn) error {
			for _, m := range []string{"hello", "", strings.Repeat("é", 100_000)} {
				if err := c.Write(t.Context(), websocket.MessageText, []byte(m)); err != nil {
					return err
				}
			}
			return nil
		}, 3, 1000},
		{"an exit status", []string{"exit", "7"}, nil, 1, 4007},
		{"20,000 lines and an exit, with input that nobody reads", []string{"lines", "20000"}, func(_ *tlsServer, c *websocket.Conn) error {
			go func() {
				for range 100 {
					_ = c.Write(t.Context(), websocket.MessageText, bytes.Repeat([]byte("u"), 1000))
				}
			}()
			return nil
		}, 20_000, 4005},
		{"a drain", []string{"echo"}, func(s *tlsServer, c *websocket.Conn) error {
			s.stop()
			return nil
		}, 0, 1001},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := startTLS(t, append([]string{"child"}, test.child...)...)
			c := s.open()
			if test.act != nil {
				if err := test.act(s, c); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			lines := 0
			_, _, err := c.Read(ctx)
			for ; err == nil; lines++ {
				_, _, err = c.Read(ctx)
			}
			if lines != test.lines || websocket.CloseStatus(err) != test.code {
				t.Errorf("%d lines, %v", lines, err)
			}
			s.stop()
			if err := receive(t, s.ended); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTLSVersions(t *testing.T) {
	s := startTLS(t, "child", "echo")
	for version, allowed := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		config := s.config.Clone()
		config.MinVersion, config.MaxVersion = version, version
		c, err := tls.Dial("tcp", s.addr, config)
		if (err == nil) != allowed {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			c.Close()
		}
	}
}

// A handshake of TLS that never ends is cut off in time, whether the client is
// silent or goes on and on, and told of only to those who debug.
func TestSlowTLSHandshakes(t *testing.T) {
	s := startTLSWith(t, timeouts{header: 50 * time.Millisecond}, "--redirport="+strconv.Itoa(freePort()), "child", "echo")
	hello := clientHello(t)
	for _, begin := range [][]byte{nil, hello[:1], hello[:5], hello[:len(hello)-1], hello} {
		w := dial(t, s.addr)
		if _, err := w.Write(begin); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, w); err != nil && !isEnd(err) {
			t.Errorf("after %d bytes: %v", len(begin), err)
		}
		s.logs("level=debug msg=\"http: TLS handshake error from " + w.LocalAddr().String() + ": ")
	}
	w := dial(t, s.addr)
	go func() {
		for i := range hello {
			time.Sleep(5 * time.Millisecond)
			if _, err := w.Write(hello[i : i+1]); err != nil {
				return
			}
		}
	}()
	if _, err := io.Copy(io.Discard, w); err != nil && !isEnd(err) {
		t.Errorf("byte by byte: %v", err)
	}
	s.logs("level=debug msg=\"http: TLS handshake error from " + w.LocalAddr().String() + ": ")

	// The head of a request has its own time, and one that is to be redirected too.
	c, err := tls.Dial("tcp", s.addr, s.config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, nc := range []net.Conn{c, dial(t, s.plain)} {
		if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(nc, toLocalhost); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, nc); err != nil && !isEnd(err) {
			t.Errorf("half a head: %v", err)
		}
	}
}

// clientHello is what a client says first.
func clientHello(t *testing.T) []byte {
	t.Helper()
	client, server := net.Pipe()
	go func() { _ = tls.Client(client, &tls.Config{ServerName: "localhost"}).Handshake() }()
	defer server.Close()
	b := make([]byte, 16<<10)
	n, err := server.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// Connections on which nothing is said hold nothing up, wherever they stopped.
func TestServeEndsWithSilentTLSConnections(t *testing.T) {
	s := startTLSWith(t, timeouts{pages: time.Hour}, "--redirport="+strconv.Itoa(freePort()), "child", "echo")
	hello := clientHello(t)
	for _, begin := range [][]byte{nil, hello[:len(hello)/2], hello} {
		if _, err := dial(t, s.addr).Write(begin); err != nil {
			t.Fatal(err)
		}
	}
	dial(t, s.plain)
	for _, protocol := range []string{"h2", "http/1.1"} {
		config := s.config.Clone()
		config.NextProtos = []string{protocol}
		c, err := tls.Dial("tcp", s.addr, config)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	s.stop()
	if err := receive(t, s.ended); err != nil {
		t.Error(err)
	}
}

// A page that came by HTTP/2 leaves a connection, which does not hold up the
// end for long; a WebSocket is not offered over it (RFC 8441), and who asks for
// one gets a plain answer.
func TestHTTP2(t *testing.T) {
	s := startTLS(t, "child", "echo")
	transport := &http.Transport{TLSClientConfig: s.config.Clone(), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequest("GET", "https://"+s.addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-WebSocket-Version", "13")
	req.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusUpgradeRequired || resp.Header["Upgrade"] != nil {
		t.Errorf("%s %s %v", resp.Proto, resp.Status, resp.Header)
	}

	config := s.config.Clone()
	config.NextProtos = []string{"h2"}
	c, err := tls.Dial("tcp", s.addr, config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	settings := "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+settings); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 9)
	if _, err := io.ReadFull(c, head); err != nil || head[3] != 4 {
		t.Fatalf("the first frame is %x, %v", head, err)
	}
	payload := make([]byte, head[2])
	if _, err := io.ReadFull(c, payload); err != nil {
		t.Fatal(err)
	}
	const enableConnectProtocol = 8
	for ; len(payload) > 0; payload = payload[6:] {
		if binary.BigEndian.Uint16(payload) == enableConnectProtocol {
			t.Errorf("a WebSocket over HTTP/2 is offered: %x", payload[:6])
		}
	}
	s.stop()
	if err := receive(t, s.ended); err != nil {
		t.Error(err)
	}
}

// An answer over HTTP/2 that nobody reads is given up, as over HTTP/1.1; and a
// page leaves no deadline that a WebSocket on the same connection would meet.
func TestStallsOverTLS(t *testing.T) {
	const stall = 50 * time.Millisecond
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "large"), make([]byte, 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startTLSWith(t, timeouts{stall: stall}, "--staticdir="+dir, "child", "echo", "1")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.config.Clone(), ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + s.addr + "/large")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	time.Sleep(10 * stall)
	if n, err := io.Copy(io.Discard, resp.Body); err == nil || resp.ProtoMajor != 2 {
		t.Errorf("%s: all %d bytes came", resp.Proto, n)
	}

	c, err := tls.Dial("tcp", s.addr, s.config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	w := wire{c, bufio.NewReader(c), t}
	w.say("GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if status, text := w.answer("GET"); status != 404 {
		t.Fatal(text)
	}
	time.Sleep(3 * stall)
	w.say(upgrade + "\r\n")
	if status, text := w.answer("GET"); status != 101 {
		t.Fatal(text)
	}
	time.Sleep(3 * stall)
	w.say("\x81\x85\x00\x00\x00\x00hello")
	if got := w.messages(); got != "hello\n\x03\xe8\n" {
		t.Errorf("got %q", got)
	}
}
