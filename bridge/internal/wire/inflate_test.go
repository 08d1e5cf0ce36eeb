package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// A connection that is lost in the middle of a compressed message is no end of
// the message, though the rest of it would not be missed.
func TestInflateLostConnection(t *testing.T) {
	lost := errors.New("lost")
	whole := string(deflated(strings.Repeat("line ", 1000)))
	for cut := range len(whole) {
		f := newInflater(&cutOff{whole[:cut], lost})
		b := make([]byte, 100)
		var err error
		for err == nil {
			_, err = f.Read(b)
		}
		if err != lost {
			t.Errorf("after %d bytes: %v", cut, err)
		}
		f.put()
	}
}

type cutOff struct {
	rest string
	err  error
}

func (c *cutOff) Read(p []byte) (int, error) {
	if c.rest == "" {
		return 0, c.err
	}
	n := copy(p[:1], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Whatever a client sends as a compressed message, whole messages come of it or
// nothing, and what was compressed as it was.
func FuzzInflate(f *testing.F) {
	f.Add([]byte("Hello"), true, []byte{3}, []byte{255}, true)
	f.Add([]byte(strings.Repeat("0123456789", 500)), true, []byte{0, 9, 0}, []byte{1, 20}, true)
	f.Add([]byte{0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}, false, []byte{}, []byte{255}, true)
	f.Add(deflated(strings.Repeat("x", 100_000)), false, []byte{5, 5}, []byte{255}, false)
	f.Add([]byte{}, false, []byte{0}, []byte{}, false)
	f.Fuzz(func(t *testing.T, p []byte, compress bool, cuts, sizes []byte, follows bool) {
		const limit = 1 << 14
		payload := p
		if compress {
			payload = deflated(string(p))
		}
		var in []byte
		first := byte(rsv1Bit | opBinary)
		for _, cut := range cuts[:min(len(cuts), 100)] {
			n := min(int(cut), len(payload))
			in = appendFrame(in, first, payload[:n], true)
			first, payload = opContinuation, payload[n:]
		}
		in = appendFrame(in, finBit|first, payload, true)
		if follows {
			in = appendFrame(in, finBit|opBinary, []byte("plain"), true)
			in = appendFrame(in, rsv1Bit|finBit|opBinary, deflated("compressed"), true)
		}
		in = append(in, closing(4321, "bye")...)
		nc := &wiretest.Conn{In: in, Piece: wiretest.InPieces(sizes)}
		c := accepted(t, Options{MaxMessageSize: limit, Compress: true}, nc, nil)
		var inbox collector
		cause := receiveAll(c, &inbox)

		got := inbox.messages()
		var follow []string
		if follows {
			follow = []string{"plain", "compressed"}
		}
		bye := error(Ending{4321, "bye"})
		switch {
		case compress && len(p) > limit:
			if len(got) > 0 || cause != error(TooBig(limit)) {
				t.Errorf("%d bytes: received %s, ended with %v", len(p), brief(got), cause)
			}
		case compress:
			if !slices.Equal(got, append([]string{string(p)}, follow...)) || cause != bye {
				t.Errorf("%d bytes: received %s, ended with %v", len(p), brief(got), cause)
			}
		case len(got) == 0:
			if cause != error(TooBig(limit)) && cause != error(corrupt) {
				t.Errorf("ended with %v", cause)
			}
		default:
			if !slices.Equal(got[1:], follow) || len(got[0]) > limit || cause != bye {
				t.Errorf("received %s, ended with %v", brief(got), cause)
			}
		}
		if frames := framesOf(t, nc.Sent()); len(frames) != 1 || frames[0].op() != opClose {
			t.Errorf("%d frames were sent", len(frames))
		}
	})
}
