package bridge

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
)

// Whole messages that are taken before the library sees them are what the
// library would have made of them.
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
		got := outcomeOf(t, in, inPieces(sizes), limit, framing, masked, compress, (*session).receive)
		want := outcomeOf(t, in, inPieces(sizes), limit, framing, masked, compress, throughLibrary)
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

// throughLibrary is receive without the messages that are taken before.
func throughLibrary(s *session) (err error) {
	for err == nil {
		err = s.receiveNext()
	}
	return err
}

func outcomeOf(t *testing.T, in []byte, piece func(left int) int, limit int, framing Framing, masked, compress bool, receive func(*session) error) (o outcome) {
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
	receiveAll(s, receive)
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

// receiveWhole takes messages at either end, whether they lie there or come
// byte by byte, and nothing of what is none.
func TestReceiveWhole(t *testing.T) {
	messages := []string{"one", "", "grüße 世界 🌍", strings.Repeat("x", 125), strings.Repeat("y", 126),
		strings.Repeat("z", 1<<16-1), "last"}
	for _, masked := range []bool{true, false} {
		var in []byte
		for _, m := range messages {
			in = appendFrame(in, finBit|opText, []byte(m), masked)
		}
		take := func(early, late []byte) (taken, left string) {
			to := &testSink{ready: all}
			s := bareSession(Lines, 1<<16-1)
			nc := &memConn{in: late, piece: inPieces([]byte{0})}
			s.setConn(nc, nc, early).masked = !masked
			s.attach(nil, to)
			s.receiveWhole()
			s.passOn()
			return to.has(), string(s.conn.in)
		}
		want := strings.Join(messages, "\n") + "\n"
		for at := range 20 {
			if got, left := take(bytes.Clone(in[:at]), in[at:]); got != want || left != "" {
				t.Errorf("masked %t, %d bytes at once: of %d bytes %d were taken, and %.20q was left", masked, at, len(want), len(got), left)
			}
		}
		for _, other := range [][]byte{
			appendFrame(nil, opText, []byte("x"), masked),
			appendFrame(nil, finBit|opContinuation, []byte("x"), masked),
			appendFrame(nil, finBit|opPing, []byte("x"), masked),
			appendFrame(nil, finBit|opClose, nil, masked),
			appendFrame(nil, finBit|rsv1Bit|opText, []byte("x"), masked),
			appendFrame(nil, finBit|opText, []byte("x"), !masked),
			appendFrame(nil, finBit|opText, []byte("\xff"), masked),
			appendFrame(nil, finBit|opText, make([]byte, 1<<16), masked),
			{finBit | opText, in[1]&maskBit | 126, 0, 125},
		} {
			if got, left := take(append(bytes.Clone(in), other...), nil); got != want || left != string(other) {
				t.Errorf("masked %t: of %d bytes %d were taken before %q, and %.20q was left", masked, len(want), len(got), other[:2], left)
			}
		}
	}
}
