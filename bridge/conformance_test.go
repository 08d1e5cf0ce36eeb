package bridge

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// A wireCase is a case of the Autobahn test suite, which checks an endpoint
// against RFC 6455, as raw frames from a client to a bridge whose child
// echoes. Its id is the suite's number; one with a word behind the number is a
// variation of ours.
//
// The suite's server echoes a message as a message. A bridge can do so as far
// as its framing allows:
//
//   - In text mode every message comes back as text, one that holds a newline
//     as several, and one that is not UTF-8 repaired. So the cases with binary
//     messages (1.2, 9.2, 9.4, 9.6, 9.8) run in binary mode; no text of groups 1
//     to 10 holds a newline (those of 12 and 13 do, which are about compression
//     and are not here: the bridge does not offer it).
//   - In binary mode a message is whatever one read of the child's output
//     brought, so the pieces are joined until the size is there, and an empty
//     message (1.2.1, 9.8.1) is no bytes, and no answer.
//   - The echo comes from another process. Where the suite sends a message and
//     a violation or a close frame right behind it, the echo comes if the child is
//     quick and is dropped if not: may lists it. The suite calls the latter
//     non-strict, which is no failure.
type wireCase struct {
	id      string
	framing Framing
	frames  [][]byte
	chop    int     // octets in each write; 0: all frames in one write
	times   int     // frames and want are repeated so often; 0: once
	want    []reply // what must come, in this order
	may     []reply // what may come after that, before the close frame

	// How the session ends. Without either the client closes with 1000.
	answer *Ending // of the server to a close frame among frames
	fails  int     // code with which the server fails the connection
	note   string  // on what is non-strict
}

// byFrame is a chop: each frame is a write.
const byFrame = -1

// A reply is a whole message or a control frame from the server.
type reply struct {
	op      byte
	payload string
}

func (r reply) String() string { return fmt.Sprintf("%x %.60q (%d)", r.op, r.payload, len(r.payload)) }

func TestConformance(t *testing.T) {
	families := [][]wireCase{1: framingCases(), pingCases(), reservedBitCases(), reservedOpcodeCases(),
		fragmentationCases(), utf8Cases(), closeCases(), 9: sizeCases(), fragmentedEchoCases()}
	want := []int{1: 16, 11, 7, 10, 20, 145, 37, 9: 54, 1}

	serveFraming := func(f Framing) func(t *testing.T) *peer {
		h := child(&Handler{Framing: f, Bounds: Bounds{PingInterval: -1, MaxMessageSize: largestMessage}}, "echo")
		log := record(t, h)
		srv := serve(t, h)
		t.Cleanup(func() { // before that of serve
			until(t, func() bool { return h.sessions() == 0 }, func() string { return "the end of all sessions" })
			if l := log.String(); log.count(an[Started]()) != log.count(an[Closed]()) || strings.Contains(l, "level=WARN") || strings.Contains(l, "level=ERROR") {
				t.Errorf("the log:\n%s", l)
			}
		})
		return func(t *testing.T) *peer { return connect(t, srv) }
	}
	dial := map[Framing]func(*testing.T) *peer{nil: serveFraming(nil), Chunks{}: serveFraming(Chunks{})}

	for i, cases := range families {
		if len(cases) == 0 {
			continue
		}
		t.Run(fmt.Sprintf("family %d", i), func(t *testing.T) {
			ours := 0
			for _, c := range cases {
				if strings.Contains(c.id, " ") {
					ours++
				}
				t.Run(c.id, func(t *testing.T) {
					t.Parallel()
					if c.note != "" {
						t.Log(c.note)
					}
					c.run(t, dial[c.framing](t))
				})
			}
			t.Logf("family %d: %d cases, and %d variations", i, len(cases)-ours, ours)
			if len(cases)-ours != want[i] {
				t.Errorf("the suite has %d", want[i])
			}
		})
	}
}

func (c wireCase) run(t *testing.T, p *peer) {
	for i := range max(c.times, 1) {
		c.send(t, p)
		for _, want := range c.want {
			got := p.reply()
			for c.framing == (Chunks{}) && got.op == want.op && len(got.payload) < len(want.payload) {
				more := p.reply()
				got = reply{more.op, got.payload + more.payload}
			}
			if got != want {
				t.Fatalf("round %d: got %v, want %v", i, got, want)
			}
		}
	}
	end := c.answer
	if end == nil && c.fails == 0 {
		end = &Ending{1000, "done"}
		p.write(closing(end.Code, end.Reason))
	}
	got := p.reply()
	for _, may := range c.may {
		if got == may {
			got = p.reply()
		}
	}
	if got.op != opClose {
		t.Fatalf("got %v, want a close frame", got)
	}
	switch {
	case end != nil && got.payload != closePayload(*end):
		t.Errorf("closed with %q, want %v", got.payload, *end)
	case end == nil && !strings.HasPrefix(got.payload, closePayload(Ending{Code: c.fails})):
		t.Errorf("closed with %q, want %d", got.payload, c.fails)
	}
	p.Write(appendFrame(nil, finBit|opClose, []byte(got.payload), true)) // nobody may be there any more
	if rest, err := io.ReadAll(p.r); err != nil || len(rest) > 0 {
		t.Errorf("after the close frame: %q, %v", rest, err)
	}
}

// send writes the frames in pieces. A server that has failed the connection
// need not take them all.
func (c wireCase) send(t *testing.T, p *peer) {
	pieces := c.frames
	if c.chop != byFrame {
		var all []byte
		for _, f := range c.frames {
			all = append(all, f...)
		}
		pieces = [][]byte{all}
		if c.chop > 0 {
			pieces = nil
			for len(all) > 0 {
				n := min(c.chop, len(all))
				pieces = append(pieces, all[:n])
				all = all[n:]
			}
		}
	}
	for _, piece := range pieces {
		if _, err := p.Write(piece); err != nil && c.fails == 0 {
			t.Fatal(err)
		}
	}
}

// reply is the next message or control frame that must come. The bridge
// sends a line of more than maxFrame in fragments.
func (p *peer) reply() reply {
	p.t.Helper()
	f := p.next()
	r := reply{f.op, string(f.payload)}
	for !f.fin {
		f = p.next()
		if f.op != opContinuation {
			p.t.Fatalf("got opcode %x in the middle of a message", f.op)
		}
		r.payload += string(f.payload)
	}
	return r
}

// closePayload is the payload of a close frame; one without a code has none.
func closePayload(c Ending) string {
	if c.Code == 1005 {
		return ""
	}
	return string([]byte{byte(c.Code >> 8), byte(c.Code)}) + c.Reason
}
