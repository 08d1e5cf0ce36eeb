package wire

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
	"github.com/wsbridge/wsbridge/process/selfchild"
)

// fragments is a message in frames of these sizes, the last for all that is left.
func fragments(kind Kind, p []byte, sizes ...int) (frames []byte) {
	first := byte(kind)
	for i, n := range sizes {
		if n = min(n, len(p)); i == len(sizes)-1 {
			n, first = len(p), first|finBit
		}
		frames = appendFrame(frames, first, p[:n], false)
		p, first = p[n:], opContinuation
	}
	return frames
}

// A bounded is an Inbox that compares what comes with what must come, and holds
// no more of it than a piece.
type bounded struct {
	t     *testing.T
	want  []byte
	kind  Kind
	buf   []byte
	asked int // the most room that was asked for
	most  int // the largest piece
	n     int // pieces
	ended int // messages
}

func (b *bounded) Room(message []byte, n int) []byte {
	b.asked = max(b.asked, len(message)+n)
	if cap(b.buf) < len(message)+n {
		b.buf = make([]byte, len(message)+n, max(LargeBuffer, len(message)+n))
	}
	room := b.buf[:len(message)]
	copy(room, message)
	return room
}

func (b *bounded) Message(kind Kind, payload []byte, whole bool) {
	b.n++
	b.most = max(b.most, len(payload))
	if kind != b.kind || !bytes.HasPrefix(b.want, payload) {
		b.t.Errorf("piece %d of %d bytes, kind %d: not what was sent", b.n, len(payload), kind)
	}
	if kind == Text && PartialRune(payload) > 0 {
		b.t.Errorf("piece %d of %d bytes ends within a rune", b.n, len(payload))
	}
	b.want = b.want[min(len(b.want), len(payload)):]
	if whole {
		b.ended++
	}
}

func (b *bounded) Wait(bool) {}

// A long message is handed over as it comes, in little memory, in whatever
// frames and reads it comes.
func TestInPieces(t *testing.T) {
	size := 3 << 20
	if selfchild.Race() {
		size /= 3 // which is still many pieces
	}
	runes := []byte(strings.Repeat("x\u00e9\u20ac\U0001f30d", size/10)) // 1, 2, 3 and 4 bytes
	for _, kind := range []Kind{Text, Binary} {
		for name, sizes := range map[string][]int{
			"one frame":      {0},
			"two":            {size / 2, 0},
			"small ones":     append(bytesOf(3000, 99), 0),
			"one rune short": {LargeBuffer - 1, 1, 1, 1, 1, 0},
			"empty ones":     {0, 0, size / 3, 0, 0, 0},
		} {
			splits := [][]byte{{255}, {180}, {100, 3, 7, 255}}
			if kind == Binary {
				splits = splits[:1]
			}
			for _, pieces := range splits {
				for _, compress := range []bool{false, true} {
					t.Run(fmt.Sprintf("kind %d, %s, %d, compressed %t", kind, name, pieces, compress), func(t *testing.T) {
						frames := fragments(kind, runes, sizes...)
						if compress {
							frames = fragments(kind, deflated(string(runes)), sizes...)
							frames[0] |= rsv1Bit
						}
						nc := &wiretest.Conn{In: append(frames, closeFrame(Ending{1000, "bye"}, false)...), Piece: wiretest.InPieces(pieces)}
						c := dialed(t, Options{MaxMessageSize: math.MaxInt, InPieces: true, Compress: compress}, nc)
						in := &bounded{t: t, want: runes, kind: kind}
						if err := receiveAll(c, in); err != (Ending{1000, "bye"}) {
							t.Errorf("ended with %v", err)
						}
						if in.ended != 1 || len(in.want) > 0 {
							t.Errorf("%d messages came, %d bytes did not", in.ended, len(in.want))
						}
						if in.n < len(runes)/LargeBuffer/2 || in.most > 2*LargeBuffer || in.asked > 2*LargeBuffer {
							t.Errorf("%d pieces of at most %d bytes, in room for %d", in.n, in.most, in.asked)
						}
						if got := c.Received(); got != (Traffic{1, int64(len(runes))}) {
							t.Errorf("%+v were received", got)
						}
					})
				}
			}
		}
	}
}

// bytesOf returns n times the same.
func bytesOf(n, size int) (sizes []int) {
	for range n {
		sizes = append(sizes, size)
	}
	return sizes
}

// A message that is no longer than a buffer comes whole, in however many frames,
// and so it does when messages may not come in pieces.
func TestShortMessagesComeWhole(t *testing.T) {
	const short = 20_000
	for _, size := range []int{1, SmallBuffer, short, LargeBuffer - 1, 1 << 20} {
		for _, inPiecesToo := range []bool{true, false} {
			if inPiecesToo && size >= LargeBuffer {
				continue
			}
			p := bytes.Repeat([]byte("x"), size)
			in := fragments(Text, p, size/3, size/3, 0)
			in = append(in, fragments(Binary, p, 0)...)
			nc := &wiretest.Conn{In: append(in, closeFrame(Ending{1000, ""}, false)...), Piece: wiretest.InPieces([]byte{255})}
			c := dialed(t, Options{MaxMessageSize: 1 << 20, InPieces: inPiecesToo}, nc)
			var inbox collector
			if err := receiveAll(c, &inbox); err != (Ending{Code: 1000}) {
				t.Error(err)
			}
			inbox.want(t, string(p), string(p))
			if len(inbox.pieces) != 2 {
				t.Errorf("in pieces %t: two messages of %d bytes came in %d pieces", inPiecesToo, size, len(inbox.pieces))
			}
		}
	}
}

// What has come of a long message is handed over before the rest is waited for.
func TestPiecesDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newPeer(t, Options{MaxMessageSize: 1 << 30, InPieces: true})
		in := receive(c)
		const size = 10 * LargeBuffer
		frame := text(strings.Repeat("x", size))
		sent := 0
		for part := range bytesOf(10, len(frame)/10) {
			n := min(len(frame)/10, len(frame)-sent)
			p.write(frame[sent : sent+n])
			sent += n
			synctest.Wait()
			in.mu.Lock()
			if missing := sent - len(in.open); missing > LargeBuffer+SmallBuffer {
				t.Errorf("after part %d, %d bytes are held back", part, missing)
			}
			in.mu.Unlock()
			time.Sleep(time.Hour)
		}
		p.write(frame[sent:])
		synctest.Wait()
		in.want(t, strings.Repeat("x", size))
		p.Close()
		in.ends(t, Lost)
		c.Leave()
	})
}

// Text that is not UTF-8 ends the connection at the piece that makes it so, and
// a message over the limit at the limit; a message that has not come whole is not
// counted.
func TestBadPieces(t *testing.T) {
	const size = 10 * LargeBuffer
	for _, test := range []struct {
		name    string
		message []byte
		limit   int
		want    Ending
	}{
		{"not UTF-8 in the middle", []byte(strings.Repeat("x", size/2) + strings.Repeat("\xff", size/2)), size, NotUTF8},
		{"half a rune at the end", append(bytes.Repeat([]byte("x"), size), "\xe2\x82"...), 2 * size, NotUTF8},
		{"too many bytes", bytes.Repeat([]byte("x"), size), size - 1, TooBig(size - 1)},
	} {
		nc := &wiretest.Conn{In: appendFrame(nil, finBit|opText, test.message, false), Piece: wiretest.InPieces([]byte{100})}
		c := dialed(t, Options{MaxMessageSize: test.limit, InPieces: true}, nc)
		var inbox collector
		if err := receiveAll(c, &inbox); err != test.want {
			t.Errorf("%s: ended with %v, want %v", test.name, err, test.want)
		}
		n := len(inbox.open)
		if !bytes.HasPrefix(test.message, inbox.open) || n < size/2-2*LargeBuffer || n > test.limit {
			t.Errorf("%s: %d bytes came", test.name, n)
		}
		if got := c.Received(); got != (Traffic{}) {
			t.Errorf("%s: %+v were received", test.name, got)
		}
	}
}
