package bridge

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// What a child writes arrives line by line, with control frames only between
// the frames; in binary mode byte by byte.
func FuzzOutput(f *testing.F) {
	for i, s := range []string{"", "\n", "a\r\nb", "\r", "a\n\n\nb\n", "x\ry\r\n", "\xf0\x9f\x98\x80\n", "\xff\xfe\n\xe4\xb8", strings.Repeat("line\n", 100)} {
		for pad := range uint8(len(outputPads)) {
			f.Add([]byte(s), []byte{0, 3, 255}, 4*pad+2, i%3 == 0)
		}
	}
	// pad brings data to the edges of buffers and frames.
	f.Fuzz(func(t *testing.T, data, sizes []byte, pad uint8, chunks bool) {
		n := max(outputPads[int(pad/4)%len(outputPads)]+int(pad%4)-2, 0)
		written := append(bytes.Repeat([]byte("x"), n), data...)
		nc := &wiretest.Conn{}
		from := io.MultiReader(bytes.NewReader(written[:n]), &wiretest.Conn{In: bytes.Clone(data), Piece: wiretest.InPieces(sizes)})
		framing := Framing(Lines{})
		if chunks {
			framing = Chunks{}
		}
		s := accepted(t, framing, wire.Options{}, nc, nil, from, discard{})
		pings := 0
		nc.OnSend = func() {
			if pings++; pings%3 == 1 { // as a timer does, while a write is under way
				s.link.Ask()
			}
		}
		if _, err := s.deliver(); err != nil {
			t.Fatal(err)
		}
		var messages []string
		var message []byte
		within := false
		for rest := nc.Sent(); len(rest) > 0; {
			var first byte
			var payload []byte
			var isMasked bool
			first, payload, isMasked, rest = parseFrame(t, rest)
			if isMasked {
				t.Fatal("a server's frame is masked")
			}
			op := byte(opText)
			switch {
			case first == finBit|opPing:
				continue
			case within:
				op = opContinuation
			case chunks:
				op = opBinary
			}
			if first&0x7f != op || len(payload) > maxFrame && utf8.Valid(written) {
				t.Fatalf("a frame begins with %x and has %d bytes", first, len(payload))
			}
			message = append(message, payload...)
			within = first&finBit == 0
			if !within {
				messages = append(messages, string(message))
				message = nil
			}
		}
		if within {
			t.Fatal("the last message has no end")
		}
		if s.link.Sent().Messages != int64(len(messages)) {
			t.Errorf("%d messages, %d were counted", len(messages), s.link.Sent().Messages)
		}
		if chunks {
			if strings.Join(messages, "") != string(written) || slices.Contains(messages, "") {
				t.Errorf("%d chunks of %d bytes are not what was written, or empty", len(messages), len(written))
			}
			return
		}
		want := linesOf(string(written))
		for i := range want {
			if !utf8.ValidString(want[i]) {
				want[i] = string([]rune(want[i])) // one U+FFFD for each byte that is wrong
			}
		}
		if !slices.Equal(messages, want) {
			t.Errorf("%d bytes, then %q: other messages than there are lines", n, data)
		}
		if joined := strings.Join(append(messages, ""), "\n"); utf8.Valid(written) && !bytes.Contains(written, []byte("\r")) &&
			strings.TrimSuffix(joined, "\n") != strings.TrimSuffix(string(written), "\n") {
			t.Errorf("%d bytes, then %q: joined again they are something else", n, data)
		}
	})
}

var outputPads = []int{0, 0, 0, 125, smallBuffer - maxHeader, smallBuffer, 65535, largeBuffer, maxFrame}

// Messages of any content, in frames and segments of any size and with pings
// between them, are what the child reads, however it takes them.
func FuzzInput(f *testing.F) {
	for i, s := range []string{"", "one two three", "grüße, 世界 🌍", "a\nb\r\n", "\x00\xff\xfe", strings.Repeat("long ", 2000)} {
		f.Add([]byte(s), []byte{3, 0x40, 0x85, 0xff, 5, 0x7f}, []byte{0, 1, 20, 255}, []byte{255}, i%2 == 0)
		f.Add([]byte(s), []byte{0xc0, 0x3f}, []byte{1}, []byte{0, 2, 9}, i%2 == 1)
		f.Add([]byte(s), []byte{0x3f, 0x3f, 0x7f}, []byte{255}, []byte{}, false)
	}
	// Each byte of plan makes a frame: the upper bits say of what kind, the
	// lower ones how much of data it takes.
	f.Fuzz(func(t *testing.T, data, plan, sizes, taken []byte, chunks bool) {
		framing, end := Framing(Lines{}), "\n"
		if chunks {
			framing, end = Chunks{}, ""
		}
		var in, want []byte
		var pings []string
		messages, within := int64(0), false
		for _, b := range plan[:min(len(plan), 200)] {
			n := min(len(data), int(b&0x3f)*int(b&0x3f))
			first := byte(opBinary)
			if within {
				first = opContinuation
			}
			switch b >> 6 {
			case 2:
				n = min(n, 125)
				in = appendFrame(in, finBit|opPing, data[:n], true)
				pings = append(pings, string(data[:n]))
				data = data[n:]
				continue
			case 1:
				within = true
			default:
				if !within && utf8.Valid(data[:n]) {
					first = opText
				}
				within = false
				first |= finBit
			}
			in = appendFrame(in, first, data[:n], true)
			want = append(want, data[:n]...)
			data = data[n:]
			if !within {
				want = append(want, end...)
				messages++
			}
		}
		if within {
			in = appendFrame(in, finBit, nil, true)
			want = append(want, end...)
			messages++
		}
		in = append(in, closing(4321, "bye")...)

		take := wiretest.InPieces(taken)
		to := &testSink{}
		if len(taken) > 0 {
			to.ready = func() int { return take(1<<16) - 1 } // at times nothing
		}
		s, nc := inMemory(t, framing, 1<<16, in, sizes, to)
		receiveAll(s)
		if got := to.has(); got != string(want) || to.closed != 1 {
			t.Errorf("the child has read %d bytes, want %d; its input was closed %d times", len(got), len(want), to.closed)
		}
		if s.link.Received().Messages != messages {
			t.Errorf("%d messages were counted, want %d", s.link.Received().Messages, messages)
		}
		if cause := context.Cause(s.ctx); cause != error(Ending{4321, "bye"}) {
			t.Errorf("it ended for %v", cause)
		}
		frames := sentFrames(t, nc.Sent())
		if len(frames) == 0 || frames[len(frames)-1].op != opClose {
			t.Fatal("the close frame was not answered")
		}
		checkPongs(t, frames, pings)
		if size := len(strings.Join(pings, "")) + 6*len(pings); size < 2<<10 && len(frames) != len(pings)+1 {
			t.Errorf("%d pings, %d answers", len(pings), len(frames)-1)
		}
	})
}

// checkPongs reports frames that are neither the last, a close frame, nor
// answers to pings, in their order.
func checkPongs(t *testing.T, frames []frame, pings []string) {
	t.Helper()
	for i, f := range frames {
		if !f.fin || f.op != opPong && (f.op != opClose || i < len(frames)-1) {
			t.Fatalf("frame %d of %d has opcode %x", i, len(frames), f.op)
		}
		if f.op != opPong {
			continue
		}
		answered := slices.Index(pings, string(f.payload))
		if answered < 0 {
			t.Fatalf("%q is no answer to one of the pings left: %q", f.payload, pings)
		}
		pings = pings[answered+1:]
	}
}
