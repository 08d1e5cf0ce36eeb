package wire

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
	"github.com/wsbridge/wsbridge/process/selfchild"
)

// Whole messages that are taken before the library sees them are what the
// library would have made of them, and what is told the peer is the same.
func FuzzWhole(f *testing.F) {
	for i, masked := range []bool{true, false} {
		for j, parts := range wiretest.Streams(masked) {
			in := bytes.Join(parts, nil)
			f.Add(in, []byte{255}, uint8(255), masked, (i+j)%2 == 0)
			f.Add(in, []byte{0, 2, 6, 255}, uint8(255), masked, (i+j)%2 == 1)
		}
		for pad := range uint8(3 * len(wholePads)) {
			f.Add(appendFrame(nil, finBit|opText, []byte("behind it"), masked), []byte{255}, pad, masked, pad%2 == 0)
		}
		compressed := appendFrame(nil, rsv1Bit|finBit|opText, deflated("compressed"), masked)
		f.Add(compressed, []byte{255}, uint8(0), masked, true)
		f.Add(compressed, []byte{255}, uint8(0), masked, false)
	}
	f.Add([]byte("A07"), []byte("0"), byte(','), false, true) // half a message that cannot be decompressed
	// pad is a message before the others, which has the greatest size that one
	// may have and brings the others to the edges of buffers.
	f.Fuzz(func(t *testing.T, in, sizes []byte, pad uint8, masked, compress bool) {
		limit := wiretest.Limit
		var first []byte
		if i := int(pad / 3); i < len(wholePads) {
			n := wholePads[i] + int(pad%3) - 1
			limit = max(limit, n)
			first = appendFrame(nil, finBit|opText, bytes.Repeat([]byte("x"), n), masked)
			in = append(bytes.Clone(first), in...)
		}
		o := Options{MaxMessageSize: limit, Compress: compress}
		pieced := o
		pieced.InPieces = pad%2 == 0 // none of them is long enough
		got := outcomeOf(t, in, wiretest.InPieces(sizes), pieced, masked, (*Conn).receive)
		want := outcomeOf(t, in, wiretest.InPieces(sizes), o, masked, throughLibrary)
		if !slices.Equal(got.messages, want.messages) || !slices.Equal(got.kinds, want.kinds) {
			t.Errorf("received %s, through the library alone %s", brief(got.messages), brief(want.messages))
		}
		if got.counted != want.counted || got.counted.Messages != int64(len(got.messages)) {
			t.Errorf("counted %d, through the library alone %d", got.counted, want.counted)
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
		if got.cause == error(Lost) { // as are those that were not answered before
			n := min(len(got.pongs), len(want.pongs))
			got.pongs, want.pongs = got.pongs[:n], want.pongs[:n]
		}
		if !slices.Equal(got.pongs, want.pongs) {
			t.Errorf("the pongs were %q, through the library alone %q", got.pongs, want.pongs)
		}
	})
}

// judgedEarly reports whether a was the cause because there was less to read at
// once: then text, or what is no compressed message, is found to be wrong before
// the rest of it is missed or is too much.
func judgedEarly(a, b error, limit int) bool {
	wrong := a == error(NotUTF8) || a == error(corrupt)
	return wrong && (b == error(Lost) || b == error(TooBig(limit)))
}

// wholePads are sizes at which a header changes its form, a message is left to
// the library, or a buffer is full.
var wholePads = []int{1, 125, SmallBuffer, 1 << 15, 1<<16 - 1, LargeBuffer - HeaderRoom}

// An outcome is all that can be seen of the way in.
type outcome struct {
	messages []string
	kinds    []Kind
	counted  Traffic
	cause    error
	pongs    []string // that were sent
	closes   []string // the payloads of close frames
}

// throughLibrary is receive without the messages that are taken before.
func throughLibrary(c *Conn) (err error) {
	for err == nil {
		err = c.receiveNext()
	}
	return err
}

func outcomeOf(
	t *testing.T, in []byte, piece func(left int) int, opt Options, masked bool, receive func(*Conn) error,
) (o outcome) {
	nc := &wiretest.Conn{In: in, Piece: piece}
	var c *Conn
	if masked {
		early := in[:min(piece(len(in)), len(in), 4096)]
		nc.In = in[len(early):]
		c = accepted(t, opt, nc, early)
	} else {
		c = dialed(t, opt, nc)
	}
	defer time.AfterFunc(time.Minute, func() { panic("the connection hangs") }).Stop()
	var inbox collector
	c.reader.inbox = &inbox
	o.cause = c.ended(receive(c))
	said := leaveOrClose(c, o.cause)
	o.messages, o.kinds, o.counted = inbox.whole, inbox.kinds, c.Received()
	for _, f := range framesOf(t, nc.Sent()) {
		switch {
		case f.masked == masked:
			t.Fatalf("a frame is masked: %t", f.masked)
		case f.first == finBit|opPong:
			o.pongs = append(o.pongs, string(f.payload))
		case f.first == finBit|opClose:
			o.closes = append(o.closes, string(f.payload))
			if f.ending() != said {
				t.Errorf("closed with %v, which was sent as %v", said, f.ending())
			}
		default:
			t.Fatalf("a frame begins with %x", f.first)
		}
	}
	if o.cause == violation("protocol error") {
		t.Error("the library found something wrong that was not found before")
	}
	if len(o.closes) > 1 || len(o.closes) == 0 && said != Lost {
		t.Errorf("%d close frames, closed with %v", len(o.closes), said)
	}
	return o
}

// receiveWhole takes messages at either end, whether they lie there or come
// byte by byte, and nothing of what is none.
func TestReceiveWhole(t *testing.T) {
	messages := []string{"one", "", "gr\u00fc\u00dfe \u4e16\u754c \U0001f30d", strings.Repeat("x", 125), strings.Repeat("y", 126),
		strings.Repeat("z", 1<<16-1), "last"}
	step := 1
	if selfchild.Race() {
		step = 7 // one goroutine does it all, byte by byte
	}
	for _, masked := range []bool{true, false} {
		var in []byte
		for _, m := range messages {
			in = appendFrame(in, finBit|opText, []byte(m), masked)
		}
		take := func(early, late []byte) (taken []string, left string) {
			c := newConn(Options{MaxMessageSize: 1<<16 - 1}, !masked)
			nc := &wiretest.Conn{In: late, Piece: wiretest.InPieces([]byte{0})}
			c.attach(nc, nc, early)
			var inbox collector
			c.reader.inbox = &inbox
			if err := c.receiveWhole(); err != nil {
				t.Error(err)
			}
			return inbox.messages(), string(c.reader.in)
		}
		for at := 0; at < 20; at += step {
			if got, left := take(bytes.Clone(in[:at]), in[at:]); !slices.Equal(got, messages) || left != "" {
				t.Errorf("masked %t, %d bytes at once: %s were taken, and %.20q was left", masked, at, brief(got), left)
			}
		}
		for _, other := range [][]byte{
			appendFrame(nil, opText, []byte("x"), masked),
			appendFrame(nil, finBit|opContinuation, []byte("x"), masked),
			appendFrame(nil, finBit|opClose, nil, masked),
			appendFrame(nil, finBit|rsv1Bit|opText, []byte("x"), masked),
			appendFrame(nil, finBit|opText, []byte("x"), !masked),
			appendFrame(nil, finBit|opText, []byte("\xff"), masked),
			appendFrame(nil, finBit|opText, make([]byte, 1<<16), masked),
			{finBit | opText, in[1]&maskBit | 126, 0, 125},
			{finBit | opText, ^in[1] & maskBit},
		} {
			if got, left := take(append(bytes.Clone(in), other...), nil); !slices.Equal(got, messages) || left != string(other) {
				t.Errorf("masked %t: %s were taken before %q, and %.20q was left", masked, brief(got), other[:2], left)
			}
		}
	}
}
