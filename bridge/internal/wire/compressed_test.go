package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
	"github.com/wsbridge/wsbridge/process/selfchild"
)

// What is offered, answered and then done.
func TestCompressionNegotiated(t *testing.T) {
	for _, test := range []struct {
		compress bool
		offer    string
		want     string
	}{
		{false, "permessage-deflate", ""},
		{true, "", ""},
		{true, "permessage-deflate", plainAnswer},
		{true, "permessage-deflate; client_max_window_bits", plainAnswer}, // browsers
		{true, "permessage-deflate; client_no_context_takeover; server_no_context_takeover", plainAnswer},
		{true, "permessage-deflate; server_max_window_bits=15", windowAnswer},
		{true, "permessage-deflate; server_max_window_bits=10", ""},
		{true, "permessage-deflate; server_max_window_bits=10, permessage-deflate", plainAnswer},
		{true, "permessage-deflate; unheard_of", ""},
		{true, "x-webkit-deflate-frame", ""},
		{true, "permessage-bzip2, permessage-deflate", plainAnswer},
	} {
		t.Run(fmt.Sprintf("%t %s", test.compress, test.offer), func(t *testing.T) {
			srv := httptest.NewServer(echo{t, Options{Compress: test.compress, MaxMessageSize: 1 << 20}})
			defer srv.Close()
			p, resp := connect(t, srv, test.offer)
			defer p.Close()
			if got := strings.Join(resp.Header.Values("Sec-Websocket-Extensions"), "|"); resp.StatusCode != http.StatusSwitchingProtocols || got != test.want {
				t.Errorf("%s, extensions %q, want %q", resp.Status, got, test.want)
			}
			line := strings.Repeat("compressible ", 100)
			p.write(text(line))
			f := p.next()
			if got := messagesOf(t, []frame{f}); got[0] != line || f.rsv1() != (test.want != "") {
				t.Errorf("RSV1 %t, %s", f.rsv1(), brief(got))
			}
			p.write(masked(rsv1Bit|finBit|opText, string(deflated("compressed"))))
			f = p.next()
			switch {
			case test.want == "" && f.ending() != violation("reserved bits are set"):
				t.Errorf("told %v", f.ending())
			case test.want != "" && string(f.payload) != "compressed":
				t.Errorf("got %#x %q", f.first, f.payload)
			}
		})
	}
}

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
		fails  Ending
	}{
		{"the example of the RFC", [][]byte{compressed(finBit|opText, []byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})}, []string{"Hello"}, Ending{}},
		{"in two fragments", [][]byte{compressed(opText, []byte{0xf2, 0x48, 0xcd}), masked(finBit|opContinuation, "\xc9\xc9\x07\x00")}, []string{"Hello"}, Ending{}},
		{"not compressed after all", [][]byte{compressed(finBit|opText, []byte("\x00\x05\x00\xfa\xffHello\x00"))}, []string{"Hello"}, Ending{}},
		{"in a block that is the last", [][]byte{compressed(finBit|opText, final)}, []string{"Hello"}, Ending{}},
		{"and another", [][]byte{compressed(finBit|opText, final), compressed(finBit|opText, deflated("same"))}, []string{"Hello", "same"}, Ending{}},
		{"in many", [][]byte{compressed(finBit|opText, append(bytes.Repeat(final[:7], 2000), 0)), compressed(finBit|opText, deflated("same"))}, []string{strings.Repeat("Hello", 2000), "same"}, Ending{}},
		{"without a byte behind it", [][]byte{compressed(finBit|opText, final[:7]), compressed(finBit|opText, deflated("same"))}, []string{"Hello", "same"}, Ending{}},
		{"in two blocks", [][]byte{compressed(finBit|opText, []byte{0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})}, []string{"Hello"}, Ending{}},
		{"an empty one", [][]byte{compressed(finBit|opText, []byte{0})}, []string{""}, Ending{}},
		{"a large one", [][]byte{compressed(finBit|opText, whole)}, []string{big}, Ending{}},
		{"empty fragments", [][]byte{compressed(opText, nil), masked(opContinuation, ""), masked(opContinuation, string(whole)), masked(finBit|opContinuation, "")}, []string{big}, Ending{}},
		{"with a ping between", [][]byte{compressed(opText, whole[:10]), ping(""), masked(finBit|opContinuation, string(whole[10:]))}, []string{big}, Ending{}},
		{"and those that are not", [][]byte{text("plain"), compressed(finBit|opText, deflated("é")), text("plain"), compressed(finBit|opText, deflated("same")), compressed(finBit|opText, deflated("same"))},
			[]string{"plain", "é", "plain", "same", "same"}, Ending{}},
		{"of binary data", [][]byte{compressed(finBit|opBinary, deflated("binary"))}, []string{"binary"}, Ending{}},
		{"text that is not UTF-8", [][]byte{compressed(finBit|opText, deflated("\xff"))}, nil, NotUTF8},
		{"text that ends in the middle of a rune", [][]byte{compressed(finBit|opText, deflated("\xe2\x82"))}, nil, NotUTF8},
		{"a bomb", [][]byte{compressed(finBit|opText, deflated(strings.Repeat("x", 100*limit)))}, nil, TooBig(limit)},
		{"one byte too many", [][]byte{compressed(finBit|opText, deflated(strings.Repeat("x", limit+1)))}, nil, TooBig(limit)},
		{"cut off", [][]byte{compressed(finBit|opText, whole[:len(whole)/2])}, nil, corrupt},
		{"cut off in its first block", [][]byte{compressed(finBit|opText, whole[:10])}, nil, corrupt},
		{"nothing at all", [][]byte{compressed(finBit|opText, nil)}, nil, corrupt},
		{"no deflate", [][]byte{compressed(finBit|opText, []byte("\xff\xff\xff\xff"))}, nil, corrupt},
		{"RSV1 in a continuation", [][]byte{masked(opText, "Hel"), compressed(finBit|opContinuation, []byte("lo"))}, nil, violation("reserved bits are set")},
		{"in one of a compressed message", [][]byte{compressed(opText, whole[:10]), compressed(finBit|opContinuation, whole[10:])}, nil, violation("reserved bits are set")},
		{"in a ping", [][]byte{compressed(finBit|opPing, nil)}, nil, violation("reserved bits are set")},
		{"in a close frame", [][]byte{compressed(finBit|opClose, []byte{3, 232})}, nil, violation("reserved bits are set")},
		{"RSV2", [][]byte{masked(0x20|finBit|opText, "")}, nil, violation("reserved bits are set")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.fails == (Ending{}) {
				test.frames = append(test.frames, closing(1000, "done"))
				test.fails = Ending{1000, "done"}
			}
			for _, pieces := range [][]byte{{255}, {0}, {3, 200}} {
				nc := &wiretest.Conn{In: bytes.Join(test.frames, nil), Piece: wiretest.InPieces(pieces)}
				c := accepted(t, Options{MaxMessageSize: limit, Compress: true}, nc, nil)
				var inbox collector
				if err := receiveAll(c, &inbox); err != test.fails {
					t.Errorf("ended with %v, want %v", err, test.fails)
				}
				inbox.want(t, test.want...)
				sent := framesOf(t, nc.Sent())
				if last := sent[len(sent)-1]; last.op() != opClose || last.ending() != test.fails {
					t.Errorf("told %#x %v, want %v", last.first, last.ending(), test.fails)
				}
			}
		})
	}
}

// A client of the library, with and without a memory for earlier messages.
func TestCompressedByTheLibrary(t *testing.T) {
	longest := 3 << 20
	if selfchild.Race() {
		longest /= 2 // which is still more than any buffer and any frame
	}
	srv := httptest.NewServer(echo{t, Options{Compress: true, MaxMessageSize: 4 << 20}})
	defer srv.Close()
	for _, mode := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
		ws, _, err := websocket.Dial(t.Context(), srv.URL, &websocket.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		ws.SetReadLimit(-1)
		r := rand.New(rand.NewPCG(6, 6))
		for _, size := range []int{0, 1, 100, minDeflate, 5000, 70_000, longest} {
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
			wiretest.AcceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\nSec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n\r\n")
		nc.Read(make([]byte, 1)) // nothing but the end
	}))
	defer srv.Close()
	if _, err := Dial(t.Context(), srv.URL, nil, nil, Options{Compress: true}); err == nil || !strings.Contains(err.Error(), "compress in another way") {
		t.Errorf("got %v", err)
	}
}
