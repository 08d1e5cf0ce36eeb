package bridge

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
)

// Whole messages that are taken before the library sees them are what the
// library would have made of them. Bytes that come one by one are never a
// whole message, so the library gets all of those.
func FuzzWhole(f *testing.F) {
	for i, masked := range []bool{true, false} {
		for j, parts := range sentStreams(masked) {
			in := bytes.Join(parts, nil)
			f.Add(in, []byte{255}, uint8(255), masked, (i+j)%2 == 0, false)
			f.Add(in, []byte{0, 2, 6, 255}, uint8(255), masked, (i+j)%2 == 1, true)
		}
		for pad := range uint8(3 * len(wholePads)) {
			f.Add(appendFrame(nil, finBit|opText, []byte("behind it"), masked), []byte{255}, pad, masked, pad%2 == 0, false)
		}
		compressed := appendFrame(nil, rsv1Bit|finBit|opText, deflated("compressed"), masked)
		f.Add(compressed, []byte{255}, uint8(0), masked, false, true)
		f.Add(compressed, []byte{255}, uint8(0), masked, false, false)
	}
	// pad is a message before the others, which has the greatest size that one
	// may have and brings the others to the edges of buffers.
	f.Fuzz(func(t *testing.T, in, sizes []byte, pad uint8, masked, chunks, compress bool) {
		limit := clientLimit
		var first []byte
		if i := int(pad / 3); i < len(wholePads) {
			n := wholePads[i] + int(pad%3) - 1
			limit = max(limit, n)
			first = appendFrame(nil, finBit|opText, bytes.Repeat([]byte("x"), n), masked)
			in = append(bytes.Clone(first), in...)
		}
		framing := Lines
		if chunks {
			framing = Chunks
		}
		// The library keeps a frame whose first byte it had; of a large one
		// the others need not come one by one.
		oneByOne := func(left int) int {
			if at := len(in) - left; at > 0 && at < len(first) {
				return len(first) - at
			}
			return 1
		}
		got := outcomeOf(t, in, inPieces(sizes), limit, framing, masked, compress)
		want := outcomeOf(t, in, oneByOne, limit, framing, masked, compress)
		if got.fed != want.fed || got.counted != want.counted {
			t.Errorf("the child has read %.200q, %d messages and bytes; through the library alone %.200q, %d",
				got.fed, got.counted, want.fed, want.counted)
		}
		if judgedEarly(got.cause, want.cause, limit) || judgedEarly(want.cause, got.cause, limit) {
			return
		}
		if got.cause != want.cause {
			t.Errorf("it ended for %v, through the library alone for %v", got.cause, want.cause)
		}
		if !slices.Equal(got.closes, want.closes) {
			t.Errorf("the close frames %q were sent, through the library alone %q", got.closes, want.closes)
		}
		if 3*(len(in)-len(first)) > maxQueue { // a pong may have three times as many bytes as its ping
			return // of many pings some are forgotten
		}
		if got.cause == errLost { // as are those that were not answered before
			n := min(len(got.pongs), len(want.pongs))
			got.pongs, want.pongs = got.pongs[:n], want.pongs[:n]
		}
		if !slices.Equal(got.pongs, want.pongs) {
			t.Errorf("the pongs were %q, through the library alone %q", got.pongs, want.pongs)
		}
	})
}

// judgedEarly reports whether a was the cause because there was less room to
// read into: then text is found to be wrong before the rest of it is missed,
// or is too much.
func judgedEarly(a, b error, limit int) bool {
	return a == errNotUTF8 && (b == errLost || b == errTooBig(limit))
}

// wholePads are sizes at which a header changes its form, a message is left to
// the library, or a buffer is full.
var wholePads = []int{1, 125, smallBuffer, 1 << 15, 1<<16 - 1, largeBuffer - maxHeader}

// An outcome is all that can be seen of a session's way in.
type outcome struct {
	fed     string  // what the child has read
	counted traffic // as the session counts it
	cause   error
	pongs   []string // that were sent
	closes  []string // the payloads of close frames
}

func outcomeOf(t *testing.T, in []byte, piece func(left int) int, limit int, framing Framing, masked, compress bool) (o outcome) {
	to := &testSink{ready: all}
	nc := &memConn{in: in, piece: piece}
	var s *session
	if masked {
		early := in[:min(piece(len(in)), len(in), 4096)]
		nc.in = in[len(early):]
		s = accepted(t, framing, limit, nc, early, to)
	} else {
		s = dialed(t, framing, limit, nc, to)
	}
	s.conn.compress = compress
	receiveAll(s)
	o.fed, o.counted, o.cause = to.has(), s.in, context.Cause(s.ctx)
	sent := nc.out.Bytes()
	for len(sent) > 0 {
		var first byte
		var payload []byte
		var isMasked bool
		first, payload, isMasked, sent = parseFrame(t, sent)
		switch {
		case isMasked == masked:
			t.Fatalf("a frame is masked: %t", isMasked)
		case first == finBit|opPong:
			o.pongs = append(o.pongs, string(payload))
		case first == finBit|opClose:
			o.closes = append(o.closes, string(payload))
		default:
			t.Fatalf("a frame begins with %x", first)
		}
	}
	return o
}

// receiveWhole takes all that lies there whole, at either end, and nothing of
// what comes byte by byte: then the library has all of it.
func TestReceiveWhole(t *testing.T) {
	messages := []string{"one", "", "grüße 世界 🌍", strings.Repeat("x", 125), strings.Repeat("y", 126),
		strings.Repeat("z", 1<<16-1), "last"}
	for _, masked := range []bool{true, false} {
		var in []byte
		for _, m := range messages {
			in = appendFrame(in, finBit|opText, []byte(m), masked)
		}
		take := func(early, late []byte) string {
			to := &testSink{ready: all}
			s := bareSession(Lines, 1<<16)
			nc := &memConn{in: late, piece: inPieces([]byte{0})}
			s.setConn(nc, nc, early).masked = !masked
			s.attach(nil, to)
			for s.receiveWhole(); s.conn.failed == nil; s.receiveWhole() {
				s.conn.in = s.conn.in[1:] // what the library would read
			}
			return to.has()
		}
		if got, want := take(bytes.Clone(in), nil), strings.Join(messages, "\n")+"\n"; got != want {
			t.Errorf("masked %t: of %d bytes in messages that lay there %d were taken", masked, len(want), len(got))
		}
		if got := take(nil, in); got != "" {
			t.Errorf("masked %t: %.200q was taken of what came byte by byte", masked, got)
		}
	}
}
