package bridge

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
)

// What clients send, as raw frames: what groups 12 and 13 of the Autobahn test
// suite are about, and how the rules can be broken.
func TestCompressedFrames(t *testing.T) {
	const limit = 100_000
	big := strings.Repeat("a line that is repeated, ", limit/25)
	compressed := func(first byte, p []byte) []byte { return appendFrame(nil, rsv1Bit|first, p, true) }
	whole := deflated(big)
	// A message whose block is the last (RFC 7692, section 7.2.3.4).
	final := []byte{0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}
	for _, test := range []struct {
		name   string
		frames [][]byte
		want   []string
		fails  Close
	}{
		{"the example of the RFC", [][]byte{compressed(finBit|opText, []byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})}, []string{"Hello"}, Close{}},
		{"in two fragments", [][]byte{compressed(opText, []byte{0xf2, 0x48, 0xcd}), masked(finBit|opContinuation, "\xc9\xc9\x07\x00")}, []string{"Hello"}, Close{}},
		{"not compressed after all", [][]byte{compressed(finBit|opText, []byte("\x00\x05\x00\xfa\xffHello\x00"))}, []string{"Hello"}, Close{}},
		{"in a block that is the last", [][]byte{compressed(finBit|opText, final)}, []string{"Hello"}, Close{}},
		{"and another", [][]byte{compressed(finBit|opText, final), compressed(finBit|opText, deflated("same"))}, []string{"Hello", "same"}, Close{}},
		{"in many", [][]byte{compressed(finBit|opText, append(bytes.Repeat(final[:7], 2000), 0)), compressed(finBit|opText, deflated("same"))}, []string{strings.Repeat("Hello", 2000), "same"}, Close{}},
		{"without a byte behind it", [][]byte{compressed(finBit|opText, final[:7]), compressed(finBit|opText, deflated("same"))}, []string{"Hello", "same"}, Close{}},
		{"in two blocks", [][]byte{compressed(finBit|opText, []byte{0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})}, []string{"Hello"}, Close{}},
		{"an empty one", [][]byte{compressed(finBit|opText, []byte{0})}, []string{""}, Close{}},
		{"a large one", [][]byte{compressed(finBit|opText, whole)}, []string{big}, Close{}},
		{"empty fragments", [][]byte{compressed(opText, nil), masked(opContinuation, ""), masked(opContinuation, string(whole)), masked(finBit|opContinuation, "")}, []string{big}, Close{}},
		{"with a ping between", [][]byte{compressed(opText, whole[:10]), ping(""), masked(finBit|opContinuation, string(whole[10:]))}, []string{big}, Close{}},
		{"and those that are not", [][]byte{text("plain"), compressed(finBit|opText, deflated("é")), text("plain"), compressed(finBit|opText, deflated("same")), compressed(finBit|opText, deflated("same"))},
			[]string{"plain", "é", "plain", "same", "same"}, Close{}},
		{"of binary data", [][]byte{compressed(finBit|opBinary, deflated("binary"))}, []string{"binary"}, Close{}},
		{"text that is not UTF-8", [][]byte{compressed(finBit|opText, deflated("\xff"))}, nil, errNotUTF8},
		{"text that ends in the middle of a rune", [][]byte{compressed(finBit|opText, deflated("\xe2\x82"))}, nil, errNotUTF8},
		{"a bomb", [][]byte{compressed(finBit|opText, deflated(strings.Repeat("x", 100*limit)))}, nil, errTooBig(limit)},
		{"one byte too many", [][]byte{compressed(finBit|opText, deflated(strings.Repeat("x", limit+1)))}, nil, errTooBig(limit)},
		{"cut off", [][]byte{compressed(finBit|opText, whole[:len(whole)/2])}, nil, errCorrupt},
		{"cut off in its first block", [][]byte{compressed(finBit|opText, whole[:10])}, nil, errCorrupt},
		{"nothing at all", [][]byte{compressed(finBit|opText, nil)}, nil, errCorrupt},
		{"no deflate", [][]byte{compressed(finBit|opText, []byte("\xff\xff\xff\xff"))}, nil, errCorrupt},
		{"RSV1 in a continuation", [][]byte{masked(opText, "Hel"), compressed(finBit|opContinuation, []byte("lo"))}, nil, Close{1002, "received header with unexpected rsv bits set: true:false:false"}},
		{"in one of a compressed message", [][]byte{compressed(opText, whole[:10]), compressed(finBit|opContinuation, whole[10:])}, nil, Close{1002, "received header with unexpected rsv bits set: true:false:false"}},
		{"in a ping", [][]byte{compressed(finBit|opPing, nil)}, nil, Close{1002, "received header with unexpected rsv bits set: true:false:false"}},
		{"in a close frame", [][]byte{compressed(finBit|opClose, []byte{3, 232})}, nil, Close{1002, "received header with unexpected rsv bits set: true:false:false"}},
		{"RSV2", [][]byte{masked(0x20|finBit|opText, "")}, nil, Close{1002, "received header with unexpected rsv bits set: false:true:false"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := connectCompressed(t, child(&Handler{Compress: true, MaxMessageSize: limit}, "echo"))
			p.write(bytes.Join(test.frames, nil))
			for _, want := range test.want {
				f, err := p.r.Peek(1)
				if err == nil && f[0]&0xf == opPong {
					p.next()
				}
				if got, _ := p.inflate(); got != want {
					t.Fatalf("got %.100q (%d bytes), want %.100q (%d)", got, len(got), want, len(want))
				}
			}
			if test.fails == (Close{}) {
				test.fails = Close{1000, "done"}
				p.write(closing(1000, "done"))
			}
			p.wantClose(test.fails)
		})
	}
}

// A client of the library, with and without a memory for earlier messages.
func TestCompressedByTheLibrary(t *testing.T) {
	h := child(&Handler{Compress: true, MaxMessageSize: 4 << 20}, "echo")
	srv := serve(t, h)
	for _, mode := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
		ws, _, err := websocket.Dial(t.Context(), srv.URL, &websocket.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		ws.SetReadLimit(-1)
		r := rand.New(rand.NewPCG(6, 6))
		for _, size := range []int{0, 1, 100, minDeflate, 5000, 70_000, 3 << 20} {
			line := fmt.Appendf(nil, "%x", randomBytes(r, size/2))
			if err := ws.Write(t.Context(), websocket.MessageText, line); err != nil {
				t.Fatal(err)
			}
			if _, got, err := ws.Read(t.Context()); err != nil || !bytes.Equal(got, line) {
				t.Fatalf("mode %d: %d bytes came back as %d, %v", mode, len(line), len(got), err)
			}
		}
		ws.Close(websocket.StatusNormalClosure, "")
	}
}

// A countingListener counts what its connections receive and send.
type countingListener struct {
	net.Listener
	in, out atomic.Int64
}

type countingConn struct {
	net.Conn
	l *countingListener
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l}, err
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.l.in.Add(int64(n))
	return n, err
}

func (c countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.l.out.Add(int64(n))
	return n, err
}

// Both ends of ours compress when both are told to.
func TestClientCompresses(t *testing.T) {
	for _, server := range []bool{false, true} {
		for _, client := range []bool{false, true} {
			h := child(&Handler{Compress: server}, "lines", "20", "1000")
			srv := httptest.NewUnstartedServer(h)
			l := &countingListener{Listener: srv.Listener}
			srv.Listener = l
			srv.Start()
			defer srv.Close()
			var got strings.Builder
			c := &Client{Stdin: strings.NewReader(strings.Repeat("compressible ", 2000)), Stdout: &got, Linger: patience, Compress: client}
			if end, err := c.Run(t.Context(), srv.URL); err != nil || end.Code != 4005 {
				t.Errorf("ended with %v, %v", end, err)
			}
			if n := strings.Count(got.String(), "\n"); n != 20 || got.Len() != 20*1001 {
				t.Errorf("got %d bytes in %d lines", got.Len(), n)
			}
			h.Shutdown(t.Context())
			for name, n := range map[string]int64{"received": l.in.Load(), "sent": l.out.Load()} {
				if compressed := n < 5000; compressed != (server && client) {
					t.Errorf("server %t, client %t: %s %d bytes", server, client, name, n)
				}
			}
		}
	}
}

// A server that may refer to earlier messages, although it was asked not to,
// is no server for us.
func TestClientOfAnotherCompression(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		fmt.Fprint(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
			acceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\nSec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n\r\n")
		nc.Read(make([]byte, 1)) // nothing but the end
	}))
	defer srv.Close()
	c := &Client{Stdin: strings.NewReader(""), Stdout: io.Discard, Compress: true}
	if _, err := c.Run(t.Context(), srv.URL); err == nil || !strings.Contains(err.Error(), "compress in another way") {
		t.Errorf("got %v", err)
	}
}
