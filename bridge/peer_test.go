package bridge

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// testLimit is how long a test waits for what must come; no test waits for it
// to pass.
const testLimit = 20 * time.Second

// serve starts a server for a Handler and shuts both down with the test.
func serve(t testing.TB, h *Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		h.Shutdown(t.Context())
		srv.Close()
	})
	return srv
}

// serveTLS is serve over TLS.
func serveTLS(t testing.TB, h *Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(func() {
		h.Shutdown(t.Context())
		srv.Close()
	})
	return srv
}

// A peer speaks raw frames, so that a test can break every rule.
type peer struct {
	*net.TCPConn
	tls *tls.Conn // over it, or nil
	t   testing.TB
	r   *bufio.Reader

	compresses bool // frames may have RSV1
}

func (p *peer) Write(b []byte) (int, error) {
	if p.tls != nil {
		return p.tls.Write(b)
	}
	return p.TCPConn.Write(b)
}

func (p *peer) Read(b []byte) (int, error) {
	if p.tls != nil {
		return p.tls.Read(b)
	}
	return p.TCPConn.Read(b)
}

// handshakeFor is an opening handshake with further header lines.
func handshakeFor(srv *httptest.Server, path string, lines ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + srv.Listener.Addr().String() + "\r\n" +
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
}

// connect opens a WebSocket; early follows the handshake in the same write.
func connect(t testing.TB, srv *httptest.Server, early ...[]byte) *peer {
	t.Helper()
	return connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/")+string(bytes.Join(early, nil)))
}

// connectAt opens a WebSocket with a handshake as it stands, at an address that
// leads to the server.
func connectAt(t testing.TB, srv *httptest.Server, addr, handshake string) *peer {
	t.Helper()
	p := dial(t, addr)
	if srv.TLS != nil {
		p.secure(srv)
	}
	p.write([]byte(handshake))
	p.wantSwitch()
	return p
}

func dial(t testing.TB, addr string) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(testLimit))
	return &peer{TCPConn: nc.(*net.TCPConn), t: t, r: bufio.NewReaderSize(nc, 64<<10)}
}

// secure makes what follows pass TLS.
func (p *peer) secure(srv *httptest.Server) {
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "example.com" // httptest's certificate is for it
	p.tls = tls.Client(p.TCPConn, config)
	p.r.Reset(p)
}

// wantSwitch reads the answer to a handshake.
func (p *peer) wantSwitch() {
	p.t.Helper()
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		p.t.Fatalf("handshake: %s", resp.Status)
	}
}

// handshake makes an opening handshake and returns the status of the answer.
func handshake(t testing.TB, srv *httptest.Server, lines ...string) int {
	t.Helper()
	nc, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(testLimit))
	io.WriteString(nc, handshakeFor(srv, "/", lines...))
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// text, ping and closing are frames as a client sends them.
func text(s string) []byte { return appendFrame(nil, finBit|opText, []byte(s), true) }
func ping(s string) []byte { return appendFrame(nil, finBit|opPing, []byte(s), true) }
func closing(code int, reason string) []byte {
	payload := append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
	return appendFrame(nil, finBit|opClose, payload, true)
}

// A frame is what the server sent.
type frame struct {
	fin     bool
	rsv1    bool
	op      byte
	payload []byte
}

func (p *peer) frame() (frame, error) {
	var h [2]byte
	if _, err := io.ReadFull(p.r, h[:]); err != nil {
		return frame{}, err
	}
	rsv1 := p.compresses && h[0]&rsv1Bit != 0
	if h[0]&0x30 != 0 || h[0]&rsv1Bit != 0 && !rsv1 || h[1]&maskBit != 0 {
		return frame{}, fmt.Errorf("a server's frame begins with %x", h)
	}
	n := uint64(h[1])
	switch n {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(p.r, b[:]); err != nil {
			return frame{}, err
		}
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(p.r, b[:]); err != nil {
			return frame{}, err
		}
		n = binary.BigEndian.Uint64(b[:])
	}
	f := frame{fin: h[0]&finBit != 0, rsv1: rsv1, op: h[0] & 0xf, payload: make([]byte, n)}
	_, err := io.ReadFull(p.r, f.payload)
	return f, err
}

// next is the next frame that must come.
func (p *peer) next() frame {
	p.t.Helper()
	f, err := p.frame()
	if err != nil {
		p.t.Fatalf("reading a frame: %v", err)
	}
	return f
}

// message is the next message that must come, whole. Pings are answered until
// then, however long a program takes to start.
func (p *peer) message() string {
	p.t.Helper()
	f := p.next()
	for f.op == opPing {
		p.Write(ponging(f.payload))
		f = p.next()
	}
	if f.op != opText && f.op != opBinary {
		p.t.Fatalf("got opcode %x %q, want a message", f.op, f.payload)
	}
	if !f.fin {
		p.t.Fatalf("got a fragment")
	}
	return string(f.payload)
}

// closed reads messages up to the close frame, answers it and waits for the
// end of the connection. It returns the messages and how it was closed.
func (p *peer) closed() ([]string, Ending) {
	p.t.Helper()
	return p.closedAnd(func() {})
}

// closedAndLeft is closed for a client after whose end the server must not look
// for an answer: it ends its side of the connection first.
func (p *peer) closedAndLeft() ([]string, Ending) {
	p.t.Helper()
	return p.closedAnd(func() { p.CloseWrite() })
}

func (p *peer) closedAnd(before func()) ([]string, Ending) {
	p.t.Helper()
	var messages []string
	var pieces []byte
	for {
		f := p.next()
		switch f.op {
		case opClose:
			c := Ending{Code: 1005}
			if len(f.payload) >= 2 {
				c = Ending{int(binary.BigEndian.Uint16(f.payload)), string(f.payload[2:])}
			}
			p.Write(appendFrame(nil, finBit|opClose, f.payload, true))
			before()
			if rest, err := io.ReadAll(p.r); err != nil || len(rest) > 0 {
				p.t.Errorf("after the close frame: %q, %v", rest, err)
			}
			return messages, c
		case opPing:
			p.write(appendFrame(nil, finBit|opPong, f.payload, true))
		case opPong:
		default:
			pieces = append(pieces, f.payload...)
			if f.fin {
				messages = append(messages, string(pieces))
				pieces = nil
			}
		}
	}
}

func (p *peer) wantClose(want Ending) {
	p.t.Helper()
	if _, got := p.closed(); got != want {
		p.t.Errorf("closed with %v, want %v", got, want)
	}
}

// until waits for a condition.
func until(t testing.TB, condition func() bool, what func() string) {
	t.Helper()
	for deadline := time.Now().Add(testLimit); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what())
		}
	}
}
