package bridge

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// deflated is p as the payload of a compressed message (RFC 7692, section
// 7.2.1), by the standard library at another level than ours.
func deflated(p string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	io.WriteString(w, p)
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), deflateTail)
}

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

func TestCompressionNegotiated(t *testing.T) {
	const answer = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
	for _, test := range []struct {
		compress bool
		offer    string
		want     string
	}{
		{false, "permessage-deflate", ""},
		{true, "", ""},
		{true, "permessage-deflate", answer},
		{true, "permessage-deflate; client_max_window_bits", answer}, // browsers
		{true, "permessage-deflate; client_no_context_takeover; server_no_context_takeover", answer},
		{true, "permessage-deflate; server_max_window_bits=15", answer},
		{true, "permessage-deflate; server_max_window_bits=10", ""},
		{true, "permessage-deflate; server_max_window_bits=10, permessage-deflate", answer},
		{true, "permessage-deflate; unheard_of", ""},
		{true, "x-webkit-deflate-frame", ""},
		{true, "permessage-bzip2, permessage-deflate", answer},
	} {
		t.Run(fmt.Sprintf("%t %s", test.compress, test.offer), func(t *testing.T) {
			srv := serve(t, child(&Handler{Compress: test.compress}, "echo"))
			p := dial(t, srv.Listener.Addr().String())
			p.write([]byte(handshakeFor(srv, "/", "Sec-WebSocket-Extensions: "+test.offer)))
			resp, err := http.ReadResponse(p.r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(resp.Header.Values("Sec-Websocket-Extensions"), "|"); resp.StatusCode != http.StatusSwitchingProtocols || got != test.want {
				t.Errorf("%s, extensions %q, want %q", resp.Status, got, test.want)
			}
			p.compresses = test.want != ""
			line := strings.Repeat("compressible ", 100)
			p.write(text(line))
			got, frames := p.inflate()
			if got != line || frames[0].rsv1 != (test.want != "") {
				t.Errorf("RSV1 %t, %d bytes", frames[0].rsv1, len(got))
			}
		})
	}
}

// What leaves compressed and what does not, and in how many frames.
func TestCompressedLines(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	noise := func(n int) string { // letters do compress: by a quarter
		return strings.ReplaceAll(string(randomBytes(r, n)), "\n", "")
	}
	p := connectCompressed(t, child(&Handler{Compress: true, Framing: Lines, MaxMessageSize: -1}, "echo"))
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
	p = connectCompressed(t, child(&Handler{Compress: true, Framing: Chunks}, "echo"))
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
	p := connectCompressed(t, child(&Handler{Compress: true, PassStderr: true}, "say", "1"+strings.Repeat("x", 1000)+"\n", "?", "2y\n", "?", "1end\n"))
	for i, want := range []said{out(strings.Repeat("x", 1000)), err2("y"), out("end")} {
		got, frames := p.inflate()
		if parseSaid(t, got) != want || frames[0].rsv1 != (i == 0) {
			t.Errorf("got %.100q, RSV1 %t", got, frames[0].rsv1)
		}
		p.write(text("go on"))
	}
}

// Whatever the pieces are, what is inflated is what there was.
func FuzzDeflation(f *testing.F) {
	f.Add([]byte("Hello"), []byte{2}, true)
	f.Add(bytes.Repeat([]byte("0123456789"), 200), []byte{0, 255, 100}, false)
	f.Fuzz(func(t *testing.T, p, cuts []byte, masked bool) {
		c := deflation{on: true}
		var frames []byte
		const messages = 2 // the second must not suffer from the first
		for range messages {
			rest, opcode := p, byte(opText)
			for _, cut := range cuts {
				n := min(int(cut)*8, len(rest))
				frames = c.appendFrame(frames, opcode, rest[:n], masked)
				rest, opcode = rest[n:], opContinuation
			}
			frames = c.appendFrame(frames, finBit|opcode, rest, masked)
		}
		if c.d != nil {
			t.Fatal("a deflater is kept")
		}
		for range messages {
			var payload []byte
			compressed := false
			for i := 0; ; i++ {
				first, piece, isMasked, rest := parseFrame(t, frames)
				frames = rest
				if isMasked != masked || i > 0 && first&^finBit != opContinuation {
					t.Fatalf("frame %d begins with %x, masked %t", i, first, isMasked)
				}
				if i == 0 {
					compressed = first&rsv1Bit != 0
					if want := len(cuts) > 0 || len(p) >= minDeflate && len(piece) < len(p); compressed != want {
						t.Errorf("compressed %t, want %t", compressed, want)
					}
				}
				payload = append(payload, piece...)
				if first&finBit != 0 {
					break
				}
			}
			got := string(payload)
			if compressed {
				var err error
				if got, err = inflated(payload); err != nil {
					t.Fatal(err)
				}
			}
			if got != string(p) {
				t.Errorf("%q became %q", p, got)
			}
		}
		if len(frames) > 0 {
			t.Errorf("%d bytes too many", len(frames))
		}
	})
}

// What it costs to send a message, and to read one.
func BenchmarkDeflation(b *testing.B) {
	for _, size := range []int{minDeflate, 1 << 10, 4 << 10, 64 << 10} {
		line := jsonLine(size)
		for _, on := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d bytes, %t", size, on), func(b *testing.B) {
				c := deflation{on: on}
				frames := make([]byte, 0, 2*size)
				b.SetBytes(int64(size))
				for b.Loop() {
					frames = c.appendFrame(frames[:0], finBit|opText, line, false)
				}
				b.ReportMetric(float64(len(frames))/float64(size), "size")
			})
		}
	}
}

func BenchmarkInflate(b *testing.B) {
	for _, size := range []int{minDeflate, 1 << 10, 4 << 10, 64 << 10} {
		payload := deflated(string(jsonLine(size)))
		into := make([]byte, 2*size)
		b.Run(fmt.Sprint(size, " bytes"), func(b *testing.B) {
			b.SetBytes(int64(size))
			r := bytes.NewReader(nil)
			for b.Loop() {
				r.Reset(payload)
				f := newInflater(r)
				if _, err := io.ReadFull(f, into); err != io.ErrUnexpectedEOF {
					b.Fatal(err)
				}
				f.put()
			}
		})
	}
}

// jsonLine is a line such as dashboards get.
func jsonLine(size int) []byte {
	r := rand.New(rand.NewPCG(7, 7))
	line := []byte(`{"time":"2026-01-02T15:04:05.678Z","cpus":[`)
	for len(line) < size {
		line = fmt.Appendf(line, `{"user":%.2f,"system":%.2f,"idle":%.2f},`, 100*r.Float64(), 10*r.Float64(), 100*r.Float64())
	}
	return line[:size]
}
