package bridge

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// inflated is the payload of a compressed message as it was.
func inflated(p []byte) (string, error) {
	b, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(p), bytes.NewReader(deflateTail))))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // a message has no last block
	}
	return string(b), err
}

// connectCompressed opens a WebSocket whose answer must agree to compression.
func connectCompressed(t testing.TB, h *Handler) *peer {
	t.Helper()
	srv := serve(t, h)
	p := dial(t, srv.Listener.Addr().String())
	p.write([]byte(handshakeFor(srv, "/", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")))
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Sec-Websocket-Extensions"); got != "permessage-deflate; client_no_context_takeover; server_no_context_takeover" {
		t.Fatalf("%s, extensions %q", resp.Status, got)
	}
	p.compresses = true
	return p
}

// inflate is the next message that must come, as it was, and its frames.
func (p *peer) inflate() (message string, frames []frame) {
	p.t.Helper()
	var payload []byte
	for {
		f := p.next()
		if f.op != opContinuation && len(frames) > 0 || f.op != opText && f.op != opBinary && len(frames) == 0 || f.rsv1 && len(frames) > 0 {
			p.t.Fatalf("frame %d has opcode %x, RSV1 %t: %.100q", len(frames), f.op, f.rsv1, f.payload)
		}
		frames = append(frames, f)
		payload = append(payload, f.payload...)
		if f.fin {
			break
		}
	}
	if !frames[0].rsv1 {
		return string(payload), frames
	}
	message, err := inflated(payload)
	if err != nil {
		p.t.Fatalf("%d bytes of a message, then %v", len(message), err)
	}
	return message, frames
}

// What leaves compressed and what does not, and in how many frames.
func TestCompressedLines(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	noise := func(n int) string { // letters do compress: by a quarter
		return strings.ReplaceAll(string(randomBytes(r, n)), "\n", "")
	}
	p := connectCompressed(t, child(&Handler{Compress: true, Framing: Lines{}, Bounds: Bounds{MaxMessageSize: -1}}, "echo"))
	for _, test := range []struct {
		name   string
		line   string
		rsv1   bool
		frames int
	}{
		{"small", "small", false, 1},
		{"empty", "", false, 1},
		{"just too small", strings.Repeat("x", minDeflate-1), false, 1},
		{"large enough", strings.Repeat("x", minDeflate), true, 1},
		{"small again", "again", false, 1},
		{"as long as one frame may be", strings.Repeat("0123456789", maxFrame/10), true, 1},
		{"longer", strings.Repeat("0123456789é", maxFrame/4), true, 3},
		{"after it", strings.Repeat("x", 1000), true, 1},
		{"repaired", strings.Repeat("\xff", 1000), true, 1},
	} {
		p.write(appendFrame(nil, finBit|opBinary, []byte(test.line), true))
		got, frames := p.inflate()
		if want := strings.ToValidUTF8(strings.ReplaceAll(test.line, "\xff", "\ufffd"), ""); got != want {
			t.Errorf("%s: %d bytes are not the line of %d", test.name, len(got), len(want))
		}
		if frames[0].rsv1 != test.rsv1 || len(frames) != test.frames {
			t.Errorf("%s: RSV1 %t, %d frames", test.name, frames[0].rsv1, len(frames))
		}
	}
	p = connectCompressed(t, child(&Handler{Compress: true, Framing: Chunks{}}, "echo"))
	for _, test := range []struct {
		name string
		sent string
		rsv1 bool
	}{
		{"small", "small", false},
		{"large enough", strings.Repeat("x", minDeflate), true},
		{"noise", noise(1000), false},
		{"small again", "again", false},
	} {
		p.write(appendFrame(nil, finBit|opBinary, []byte(test.sent), true))
		if got, frames := p.inflate(); got != test.sent || frames[0].rsv1 != test.rsv1 {
			t.Errorf("%s: RSV1 %t, %d bytes", test.name, frames[0].rsv1, len(got))
		}
	}
}

// The lines of both streams.
func TestCompressedStreams(t *testing.T) {
	p := connectCompressed(t, child(&Handler{Compress: true, Framing: Tagged{}}, "say", "1"+strings.Repeat("x", 1000)+"\n", "?", "2y\n", "?", "1end\n"))
	for i, want := range []said{out(strings.Repeat("x", 1000)), err2("y"), out("end")} {
		got, frames := p.inflate()
		if parseSaid(t, got) != want || frames[0].rsv1 != (i == 0) {
			t.Errorf("got %.100q, RSV1 %t", got, frames[0].rsv1)
		}
		p.write(text("go on"))
	}
}
