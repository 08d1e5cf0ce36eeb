package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/listen"
)

// open serves what a command line asks for, as runServe does, on a loopback
// port until the test ends, and returns its address.
func open(t *testing.T, args ...string) (addr string, h *bridge.Handler) {
	t.Helper()
	return openWith(t, timeouts{}, args...)
}

func openWith(t *testing.T, limits timeouts, args ...string) (addr string, h *bridge.Handler) {
	t.Helper()
	o, _, status, stderr := parse(args...)
	if status != 0 {
		t.Fatal(stderr)
	}
	o.timeouts = limits
	s := opened(t, o)
	// The race detector makes each process wait a second at its end.
	s.bridge.Env = append(s.bridge.Env, "GORACE=atexit_sleep_ms=0")
	listeners, err := listen.TCP(t.Context(), []string{"127.0.0.1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(s, o.timeouts, nil, s.log)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.serve(ctx, listeners, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := receive(t, ended); err != nil {
			t.Error(err)
		}
	})
	return listeners[0].Addr().String(), s.bridge
}

// A wire is a connection on which a test says what it likes.
type wire struct {
	net.Conn
	*bufio.Reader
	t *testing.T
}

func (w wire) Read(p []byte) (int, error) { return w.Reader.Read(p) }

func dial(t *testing.T, addr string) wire {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return newWire(t, nc)
}

func newWire(t *testing.T, nc net.Conn) wire {
	t.Helper()
	t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return wire{nc, bufio.NewReader(nc), t}
}

// say writes a request. The server may answer, and close, before it has it all.
func (w wire) say(request string) {
	go func() { _, _ = io.WriteString(w.Conn, request) }()
}

// answer is the answer to what was said, as it came: the head, and the body
// if it is no WebSocket. It is empty if the server closed without one.
func (w wire) answer(method string) (status int, text string) {
	w.t.Helper()
	var raw bytes.Buffer
	tee := bufio.NewReaderSize(io.TeeReader(oneByte{w.Reader}, &raw), 16)
	resp, err := http.ReadResponse(tee, &http.Request{Method: method})
	if err != nil {
		if raw.Len() > 0 || !isEnd(err) {
			w.t.Errorf("%q, %v", raw.String(), err)
		}
		return 0, ""
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	return resp.StatusCode, raw.String()
}

// isEnd reports whether a connection was closed, be it with a reset because
// something was left unread.
func isEnd(err error) bool {
	ne, ok := err.(net.Error)
	return !ok || !ne.Timeout()
}

// oneByte reads no byte more than is asked for, so that what follows the
// answer stays to be read.
type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }

const (
	upgradeLines = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	toLocalhost  = "GET / HTTP/1.1\r\nHost: localhost\r\n"
	upgrade      = toLocalhost + upgradeLines
)

// messages are those that come until the server closes, a line each, and the
// payload of the close frame at the end.
func (w wire) messages() string {
	w.t.Helper()
	var b strings.Builder
	for {
		first, payload := w.frame()
		b.Write(append(payload, '\n'))
		if first == 0x88 {
			return b.String()
		}
	}
}

// frame is the next one, with its first byte: the opcode, and 0x80 if it is
// the last of its message.
func (w wire) frame() (first byte, payload []byte) {
	w.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(w, head[:]); err != nil {
		w.t.Fatal(err)
	}
	n := int(head[1])
	if n > 125 {
		length := make([]byte, []int{2, 8}[n-126])
		if _, err := io.ReadFull(w, length); err != nil {
			w.t.Fatal(err)
		}
		n = int(binary.BigEndian.Uint64(append(make([]byte, 8-len(length)), length...)))
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(w, payload); err != nil {
		w.t.Fatal(err)
	}
	return head[0], payload
}
