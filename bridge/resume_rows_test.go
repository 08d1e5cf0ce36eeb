package bridge

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Each way to be turned away, with and without counting; nobody who is turned away
// gets a greeting, takes over, or ends anything.
func TestResumeTurnedAway(t *testing.T) {
	const other = "unknownunknownunknown1"
	h := resumable("echo")
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), true)
	for i := range 10 {
		c.write(text(fmt.Sprint(i)))
		c.wantMessages(fmt.Sprint(i))
	}
	c = resume(t, srv, received(testKey, 10), true)
	for _, test := range []struct {
		query string
		end   Ending
	}{
		{received(other, 1), errNoSession},
		{received(other, 1<<63-1), errNoSession},
		{received(testKey, 0), Ending{4410, "gone: 11 is the first kept"}},
		{received(testKey, 9), Ending{4410, "gone: 11 is the first kept"}},
		{received(testKey, 11), Ending{4410, "gone: 11 is the first kept"}},
		{received(testKey, 1<<63-2), Ending{4410, "gone: 11 is the first kept"}},
		{received(testKey, 1<<63-1), Ending{4410, "gone: 11 is the first kept"}},
	} {
		for _, line := range []string{"X: y", "Sec-WebSocket-Protocol: wsbridge.v1"} {
			p := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/?"+test.query, line))
			if messages, end := p.closed(); end != test.end || len(messages) > 0 {
				t.Errorf("%s: %q, closed with %v", test.query, messages, end)
			}
			events.wait(an(func(e TurnedAway) bool { return e.Ending == test.end }))
		}
	}
	c.write(text("still there"))
	c.wantMessages("still there")
	if n := events.count(an[Started]()); n != 1 || events.count(anAttachment) != 2 {
		t.Errorf("%d programs were started:\n%s", n, events)
	}
}

// manyVar, when set, has TestResumeManyKeys try 10,000 keys.
const manyVar = "WSBRIDGE_KEYS"

// Keys are no way around the places: who tries many of them gets no more programs
// than anybody, and a guess that starts none takes no place.
func TestResumeManyKeys(t *testing.T) {
	t.Parallel()
	keys := 500
	if os.Getenv(manyVar) != "" {
		keys = 10_000
	}
	h := child(&Handler{Hosting: Resume{For: time.Hour}, Limits: &Limits{MaxPerAddress: 3}}, "echo")
	events := record(t, h)
	srv := serve(t, h)
	key := func(i int) string { return fmt.Sprintf("%030d", i) }
	for i := range 3 {
		resume(t, srv, keyed(key(i)), true).Close()
	}
	events.waitFor(3, aDetachment) // they hold their places without a client
	for i := range keys {
		query, status := keyed(key(i+3)), 429
		if i%2 == 0 {
			query, status = received(key(i+3), 1), 101
		}
		if i > 6 && status == 429 && i%100 != 1 {
			continue // each waits a second for a place to be free
		}
		p := dial(t, srv.Listener.Addr().String())
		p.write([]byte(handshakeFor(srv, "/?"+query)))
		if got := p.status(); got != status {
			t.Fatalf("key %d: %d, want %d", i, got, status)
		}
		p.Close()
	}
	if n := events.count(an[Started]()); n != 3 {
		t.Errorf("%d programs were started", n)
	}
	for i := range 3 {
		resume(t, srv, received(key(i), 0), true).wantGreeting(greeting{key(i), true, 0, 1})
	}
}

// Messages of every size come whole, once and in order, compressed or not, to a
// client that comes back for each of them: also one that is larger than the buffer.
func TestResumeLargeMessages(t *testing.T) {
	for _, compress := range []bool{false, true} {
		for _, framing := range []Framing{Lines{}, Tagged{}} {
			t.Run(fmt.Sprintf("compress=%t/%T", compress, framing), func(t *testing.T) {
				t.Parallel()
				sizes := []string{"10", "3000", "70000", "1", "1048576", "5000000", "20", "1048577", "3"}
				h := child(&Handler{Hosting: Resume{For: time.Hour, Buffer: 10_000}, Framing: framing, Compress: compress}, "line", sizes...)
				h.Bounds.PingInterval = -1 // the buffer has it ping nevertheless
				events := record(t, h)
				srv := serve(t, h)
				lines := []string{"Sec-WebSocket-Protocol: wsbridge.v1"}
				if compress {
					lines = append(lines, "Sec-WebSocket-Extensions: permessage-deflate")
				}
				for i := range sizes {
					p := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/?"+keyed(testKey)+more(i), lines...))
					p.compresses = compress
					p.large() // the greeting
					want := strings.Repeat("x", number(sizes[i]))
					if framing == (Tagged{}) {
						want = `{"stream":"stdout","data":"` + want + `"}`
					}
					if got := p.large(); got != want {
						t.Fatalf("message %d: %d bytes %.40q, want %d", i+1, len(got), got, len(want))
					}
					p.SetLinger(0)
					p.Close()
					events.waitFor(i+1, aDetachment)
				}
				if n := events.count(an[Started]()); n != 1 {
					t.Errorf("%d programs were started", n)
				}
			})
		}
	}
}

// more is what a client that counts adds to its key.
func more(got int) string {
	if got == 0 {
		return ""
	}
	return fmt.Sprint("&received=", got)
}

// large is the next message, perhaps in fragments or compressed. Pings are answered.
func (p *peer) large() string {
	p.t.Helper()
	var message []byte
	compressed := false
	for {
		f := p.next()
		switch f.op {
		case opPing:
			p.write(ponging(f.payload))
			continue
		case opClose:
			p.t.Fatalf("closed with %q", f.payload)
		}
		compressed = compressed || f.rsv1
		if message = append(message, f.payload...); !f.fin {
			continue
		}
		if !compressed {
			return string(message)
		}
		text, err := inflated(message)
		if err != nil {
			p.t.Fatal(err)
		}
		return text
	}
}

// A program of any framing goes on for a client that comes back, with bytes in the
// order that they were printed in.
func TestResumeChunks(t *testing.T) {
	h := child(&Handler{Hosting: Resume{For: time.Hour, Buffer: 1000}, Framing: Chunks{}, Compress: true}, "echo")
	events := record(t, h)
	srv := serve(t, h)
	messages := 0
	for i := range 20 {
		query := keyed(testKey) + more(messages)
		p := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/?"+query, "Sec-WebSocket-Protocol: wsbridge.v1", "Sec-WebSocket-Extensions: permessage-deflate"))
		p.compresses = true
		p.large()
		sent := strings.Repeat(string(rune('a'+i)), 700*i)
		p.write(appendFrame(nil, finBit|opBinary, []byte(sent+"."), true))
		got := ""
		for !strings.HasSuffix(got, ".") {
			got += p.large()
			messages++
		}
		if got != sent+"." {
			t.Fatalf("%d: got %d bytes, want %d", i, len(got), len(sent)+1)
		}
		p.Close()
		events.waitFor(i+1, aDetachment)
	}
}
