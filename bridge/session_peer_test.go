package bridge

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// A client that reads slowly gets everything all the same, long after any limit of a
// program's end.
func TestSlowReader(t *testing.T) {
	const lines = 20_000
	synctest.Test(t, func(t *testing.T) {
		server, client := wiretest.NewSystem(4 << 20)
		p := runOver(t, client, server, &Handler{}, exiting{strings.NewReader(numbered(lines, 1000))}, discard{})
		time.Sleep(4 * closeLimit)
		if server.Held() < 4<<20 || hasEnded(p.done) {
			t.Errorf("%d bytes are on their way, ended %t", server.Held(), hasEnded(p.done))
		}
		got, closed := p.read(nil)
		if len(got) != lines || strings.TrimSpace(got[lines-1]) != fmt.Sprint(lines-1) {
			t.Errorf("%d lines arrived", len(got))
		}
		if closed != closeReply(Ending{Code: 1000}) || p.end != (Ending{Code: 1000}) {
			t.Errorf("%v, ended with %v", closed, p.end)
		}
	})
}

// A child that does not read hides neither the client's close nor its pings.
func TestDeafChild(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Limits: &Limits{MaxForks: 1}}, "deaf")
	log := record(t, h)
	srv := serve(t, h)
	p := connect(t, srv)
	if got := p.message(); got != "ready" {
		t.Fatal(got)
	}
	p.write(bytes.Repeat(text(strings.Repeat("x", 1000)), 600)) // more than a pipe holds, less than the backlog
	p.write(ping("there?"))
	if f := p.next(); f.op != opPong || string(f.payload) != "there?" {
		t.Errorf("got %x %q", f.op, f.payload)
	}
	p.write(closing(1000, ""))
	p.wantClose(Ending{1000, ""})
	log.wait(childEnded("signal: killed"))
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the slot" })
}

// A full backlog pushes back on the client, whose departure is noticed by the
// pings, though its missing pongs do not count.
func TestFullBacklog(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Bounds: Bounds{MaxMessageSize: 10_000, PingInterval: 100 * time.Millisecond}}, "deaf")
	log := record(t, h)
	p := connect(t, serve(t, h))
	go func() { // at once: nobody answers the pings
		block := bytes.Repeat(text(strings.Repeat("x", 1000)), 100)
		for {
			if _, err := p.Write(block); err != nil {
				return
			}
		}
	}()
	for range 10 { // many intervals in which no pong is read
		for p.next().op != opPing {
		}
	}
	if log.has(an[Closed]()) {
		t.Error("the session ended while the client was there")
	}
	p.SetLinger(0) // a reset
	p.Close()
	log.wait(closedBecause(errLost))
}

// A client that reads nothing and pings is answered when it reads on, and is
// no reason to end (the library alone would, after 5 seconds).
func TestPingsOfAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	h := child(&Handler{}, "flood")
	log := record(t, h)
	p := connect(t, serve(t, h))
	log.blocked()
	for i := range 2000 {
		p.write(ping(fmt.Sprint(i)))
	}
	p.write(text("input is still read"))
	pong := ""
	for pong != "1999" {
		f := p.next()
		switch f.op {
		case opPong:
			pong = string(f.payload)
		case opText:
		default:
			t.Fatalf("got %x %q", f.op, f.payload)
		}
	}
	p.write(closing(1000, ""))
	_, end := p.closed()
	if end.Code != 1000 {
		t.Errorf("closed with %v", end)
	}
}

// A client that closes while it reads nothing is answered at the end of the
// frame under way.
func TestCloseWhileNotReading(t *testing.T) {
	t.Parallel()
	h := child(&Handler{}, "flood")
	log := record(t, h)
	p := connect(t, serve(t, h))
	log.blocked()
	p.write(closing(1001, ""))
	p.wantClose(Ending{1001, ""})
	log.wait(closedWith(1001))
}

// blocked waits until a flooding child has printed something and then no more.
func (l *eventLog) blocked() {
	l.t.Helper()
	until(l.t, stands(func() int64 { return int64(l.count(says("another block"))) }), func() string { return "a blocked child" })
}

// stands is a condition for until: a number is over zero and does not grow any more. That
// takes many looks, which a slow machine slows down, too.
func stands(number func() int64) func() bool {
	seen, looks := int64(0), 0
	return func() bool {
		if n := number(); n != seen {
			seen, looks = n, 0
		}
		looks++
		return seen > 0 && looks > 30
	}
}

func TestBadClients(t *testing.T) {
	const limit = 1000
	unmasked := appendFrame(nil, finBit|opText, []byte("x"), false)
	fragment := func(first byte, s string) []byte { return appendFrame(nil, first, []byte(s), true) }
	tests := []struct {
		name  string
		bytes []byte
		want  int
	}{
		{"unmasked", unmasked, 1002},
		{"reserved bit", fragment(finBit|0x40|opText, "x"), 1002},
		{"reserved opcode", fragment(finBit|0x3, "x"), 1002},
		{"length over 2^63", []byte{finBit | opText, maskBit | 127, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}, 1002},
		{"fragmented ping", fragment(opPing, "x"), 1002},
		{"continuation of nothing", fragment(finBit|opContinuation, "x"), 1002},
		{"text in the middle of text", append(fragment(opText, "a"), fragment(finBit|opText, "b")...), 1002},
		{"not UTF-8", fragment(finBit|opText, "\xff"), 1007},
		{"half a rune", fragment(finBit|opText, "\xe4\xb8"), 1007},
		{"too big", text(strings.Repeat("x", limit+1)), 1009},
		{"too big in pieces", append(fragment(opText, strings.Repeat("x", limit)), fragment(finBit|opContinuation, "x")...), 1009},
		{"announced 2^62", []byte{finBit | opText, maskBit | 127, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0},
		{"close code 1005", closing(1005, ""), 1002},
		{"close of one byte", fragment(finBit|opClose, "x"), 1002},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := child(&Handler{Bounds: Bounds{MaxMessageSize: limit}}, "count")
			h.Bounds.Grace = testLimit
			log := record(t, h)
			p := connect(t, serve(t, h))
			p.write(text("one"))
			p.write(test.bytes)
			if test.want == 0 {
				p.write(bytes.Repeat([]byte("x"), 2*limit))
				test.want = 1009
			}
			if _, end := p.closedAndLeft(); end.Code != test.want {
				t.Errorf("closed with %v, want %d", end, test.want)
			}
			log.wait(says("1 lines, 4 bytes")) // nothing but what was whole and right
			log.wait(closedWith(test.want))
			if strings.Contains(log.String(), "ERROR") {
				t.Errorf("a client's fault is no error of ours:\n%s", log)
			}
		})
	}
}

// The peer is dead when two pings were not answered; one that answers, or
// sends anything, lives, however slow its child.
func TestPings(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Bounds: Bounds{PingInterval: time.Second}}, "deaf")
	log := record(t, h)
	srv := serve(t, h)
	alive, dead := connect(t, srv), connect(t, srv)
	alive.message()
	dead.message()
	answer := func() {
		f := alive.next()
		if f.op != opPing {
			t.Fatalf("got %x", f.op)
		}
		alive.write(appendFrame(nil, finBit|opPong, f.payload, true))
	}
	for began := time.Now(); log.count(closedBecause(errPeerDead)) == 0; answer() {
		if time.Since(began) > testLimit {
			t.Fatalf("the client that does not answer lives:\n%s", log)
		}
	}
	for range 3 {
		answer()
	}
	if n := log.count(closedBecause(errPeerDead)); n != 1 {
		t.Errorf("%d of two sessions ended, want the one that did not answer:\n%s", n, log)
	}
	alive.write(closing(1000, ""))
	alive.wantClose(Ending{1000, ""})
}
