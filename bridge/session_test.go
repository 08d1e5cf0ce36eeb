package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestEcho(t *testing.T) {
	srv := serve(t, child(&Handler{}, "echo"))
	p := connect(t, srv)
	for _, m := range []string{"hello", "", "grüße, 世界 🌍", strings.Repeat("long", 100_000), "two\rparts"} {
		p.write(text(m))
		if got := p.message(); got != m {
			t.Errorf("sent %.40q, got %.40q", m, got)
		}
	}
	p.write(closing(1000, "bye"))
	p.wantClose(Ending{1000, "bye"})
}

func TestBinary(t *testing.T) {
	srv := serve(t, child(&Handler{Framing: Chunks{}}, "echo"))
	p := connect(t, srv)
	for _, size := range []int{1, 125, 126, 127, 2000, 65535, 65536, 300_000} {
		sent := bytes.Repeat([]byte("\x00\xff\n\x7f\x80"), size/5+1)[:size]
		p.write(appendFrame(nil, finBit|opBinary, sent, true))
		var got []byte
		for len(got) < size {
			got = append(got, p.message()...)
		}
		if !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes came back changed", size)
		}
	}
	p.write(closing(1000, ""))
	p.wantClose(Ending{1000, ""})
}

// Lines of every size that a buffer or a header has an edge at, as they leave.
func TestLineSizes(t *testing.T) {
	sizes := []int{0, 1, 125, 126, 127, smallBuffer - 1, smallBuffer, smallBuffer + 1, 65535, 65536,
		largeBuffer - 1, largeBuffer, largeBuffer + 1, maxFrame - 1, maxFrame, maxFrame + 1, 3 * maxFrame, 7}
	var args []string
	for _, n := range sizes {
		args = append(args, fmt.Sprint(n))
	}
	p := connect(t, serve(t, child(&Handler{}, "line", args...)))
	for _, want := range sizes {
		f := p.next()
		got, frames := len(f.payload), 1
		if f.op != opText {
			t.Fatalf("line of %d: opcode %x", want, f.op)
		}
		for !f.fin {
			f = p.next()
			if f.op != opContinuation {
				t.Fatalf("line of %d: opcode %x in the middle", want, f.op)
			}
			got += len(f.payload)
			frames++
		}
		if got != want || (frames > 1) != (want > maxFrame) {
			t.Errorf("line of %d arrived as %d bytes in %d frames", want, got, frames)
		}
	}
	p.wantClose(Ending{1000, ""})
}

// What the child writes, write by write, and the messages that arrive. Each
// write but the first waits for a line from the client.
func TestLines(t *testing.T) {
	long := strings.Repeat("x", maxFrame-1)
	tests := []struct {
		name   string
		writes []string
		want   []string
	}{
		{"empty lines", []string{"\n\na\n\n"}, []string{"", "", "a", ""}},
		{"no output", []string{""}, nil},
		{"carriage returns", []string{"a\r\nb\rc\n\r\n\r\r\n"}, []string{"a", "b\rc", "", "\r"}},
		{"no newline at the end", []string{"a\nb"}, []string{"a", "b"}},
		{"carriage return at the end", []string{"a\nb\r"}, []string{"a", "b\r"}},
		{"a rune in two writes", []string{"a\nb\xe4", "\xb8\x96c\n"}, []string{"a", "b世c"}},
		{"not UTF-8", []string{"a\xffb\n\xe4\xb8\nok\n"}, []string{"a\uFFFDb", "\uFFFD\uFFFD", "ok"}},
		{"half a rune at the end", []string{"a\xe4\xb8"}, []string{"a\uFFFD\uFFFD"}},
		{"a rune across frames", []string{long + "世界\n"}, []string{long + "世界"}},
		{"not UTF-8 across frames", []string{long + "\xffab\n"}, []string{long + "\uFFFDab"}},
		{"a newline at the edge of a frame", []string{long + "x\r\n" + long + "x\n"}, []string{long + "x", long + "x"}},
		{"a long line without newline", []string{long + long}, []string{long + long}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var files []string // an argument cannot hold the long ones
			for i, w := range test.writes {
				files = append(files, filepath.Join(t.TempDir(), fmt.Sprint(i)))
				if err := os.WriteFile(files[i], []byte(w), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p := connect(t, serve(t, child(&Handler{}, "write", files...)))
			for range test.writes[1:] {
				p.write(text("go on"))
			}
			got, end := p.closed()
			if fmt.Sprintf("%.50q", got) != fmt.Sprintf("%.50q", test.want) || strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got %.50q, want %.50q", got, test.want)
			}
			if end != (Ending{1000, ""}) {
				t.Errorf("closed with %v", end)
			}
		})
	}
}

func TestHowItEnds(t *testing.T) {
	tests := []struct {
		child []string
		want  Ending
	}{
		{[]string{"exit", "0"}, Ending{1000, ""}},
		{[]string{"exit", "3"}, Ending{4003, "exit status 3"}},
		{[]string{"exit", "255"}, Ending{4255, "exit status 255"}},
		{[]string{"closeout", "0"}, Ending{1000, ""}},
		{[]string{"closeout", "7"}, Ending{4007, "exit status 7"}},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.child, " "), func(t *testing.T) {
			connect(t, serve(t, child(&Handler{}, test.child[0], test.child[1:]...))).wantClose(test.want)
		})
	}
}

func TestCannotStart(t *testing.T) {
	tests := []struct {
		command string
		want    Ending
	}{
		{"./no-such-command", Ending{1011, "command not found"}},
		{"no-such-command", Ending{1011, "command not found"}},
		{os.TempDir(), Ending{1011, "command is not a program"}},
	}
	for _, test := range tests {
		t.Run(test.command, func(t *testing.T) {
			h := &Handler{Command: []string{test.command}, Limits: &Limits{MaxForks: 1}}
			srv := serve(t, h)
			for range 3 { // the slot is free each time
				connect(t, srv).wantClose(test.want)
				until(t, func() bool { return h.sessions() == 0 }, func() string { return "a free slot" })
			}
		})
	}
}

func (h *Handler) sessions() int {
	h.own.mu.Lock()
	defer h.own.mu.Unlock()
	return h.own.running
}

// Bytes that come with the handshake are the first of the stream. They used
// to be lost in a part of the runs, when net/http's read-ahead had some.
func TestBytesWithTheHandshake(t *testing.T) {
	srv := serve(t, child(&Handler{}, "echo"))
	for i := range 60 {
		var early [][]byte
		n := i % 4 * 50
		for k := range n {
			early = append(early, text(fmt.Sprint("early ", k)))
		}
		p := connect(t, srv, early...)
		p.write(text("late"))
		for k := range n {
			if got, want := p.message(), fmt.Sprint("early ", k); got != want {
				t.Fatalf("run %d: got %q, want %q", i, got, want)
			}
		}
		if got := p.message(); got != "late" {
			t.Fatalf("run %d: got %q", i, got)
		}
		p.write(closing(1000, ""))
		p.wantClose(Ending{1000, ""})
	}
}

// A close frame in the middle of a burst: what came before it is fed, what
// comes after it is nothing.
func TestCloseInABurst(t *testing.T) {
	h := child(&Handler{}, "count")
	h.Bounds.Grace = testLimit // the child shall read to the end of its input
	log := record(t, h)
	p := connect(t, serve(t, h))
	var burst []byte
	for i := range 1000 {
		burst = append(burst, text(fmt.Sprintf("%06d", i))...)
	}
	burst = append(burst, closing(4321, "enough")...)
	burst = append(burst, bytes.Repeat(text("more"), 100)...)
	p.write(burst)
	if f := p.next(); f.op != opClose || string(f.payload) != "\x10\xe1enough" {
		t.Errorf("answered with %x %q", f.op, f.payload)
	}
	if _, err := p.frame(); err != io.EOF {
		t.Errorf("after the answer: %v, want the end", err)
	}
	p.Close()
	log.wait(says("1000 lines, 7000 bytes"))
	log.wait(closedBecause(Ending{4321, "enough"}))
	log.wait(an(func(e Closed) bool { return e.In == Traffic{1000, 6000} }))
}

// A client that closes is the cause, however quickly the child then ends. The
// end of the child's input used to come before the cause was set.
func TestTheClientClosedFirst(t *testing.T) {
	h := child(&Handler{}, "echo")
	log := record(t, h)
	srv := serve(t, h)
	const runs = 50
	for range runs {
		p := connect(t, srv)
		p.write(closing(4321, ""))
		p.wantClose(Ending{4321, ""})
	}
	log.waitFor(runs, an[Closed]())
	if n := log.count(closedWith(4321)); n != runs {
		t.Errorf("%d of %d sessions were ended by the client", n, runs)
	}
}

// End of file that arrives together with data hides nothing.
func TestOutputThenExit(t *testing.T) {
	srv := serve(t, child(&Handler{}, "line", "5"))
	for range 50 {
		got, end := connect(t, srv).closed()
		if len(got) != 1 || got[0] != "xxxxx" || end.Code != 1000 {
			t.Fatalf("got %q, %v", got, end)
		}
	}
}

// The last byte arrives: 20,000 lines printed just before the exit, with 100
// KB of input that nobody will read.
func TestTheLastByteArrives(t *testing.T) {
	for _, serve := range []func(testing.TB, *Handler) *httptest.Server{serve, serveTLS} {
		srv := serve(t, child(&Handler{}, "lines", "20000", "10"))
		for range 5 {
			p := connect(t, srv)
			p.write(text("go"))
			unread := bytes.Repeat(text(strings.Repeat("u", 1000)), 100)
			go p.Write(unread)
			got, end := p.closed()
			if len(got) != 20000 || got[19999] != "     19999" {
				t.Fatalf("%d lines arrived", len(got))
			}
			if end != (Ending{4005, "exit status 5"}) {
				t.Errorf("closed with %v", end)
			}
		}
	}
}

// A client in the middle of a frame is told how the child ended, at once.
func TestEndInTheMiddleOfAFrame(t *testing.T) {
	srv := serve(t, child(&Handler{}, "lines", "3", "1"))
	long := text(strings.Repeat("x", 1000))
	for _, cut := range []int{1, 2, 3, 5, 8, 500, len(long) - 1} {
		p := connect(t, srv)
		p.write(append(text("go"), long[:cut]...))
		got, end := p.closed()
		if want := (Ending{4005, "exit status 5"}); len(got) != 3 || end != want {
			t.Errorf("cut at %d: got %q, %v", cut, got, end)
		}
	}
}

// A client that reads slowly gets everything all the same, long after the
// child has ended.
func TestSlowReader(t *testing.T) {
	h := child(&Handler{}, "lines", "20000", "1000")
	log := record(t, h)
	p := connect(t, serve(t, h))
	p.write(text("go"))
	log.wait(an[Started]())
	time.Sleep(2 * time.Second) // longer than any limit of a child's end
	got, end := p.closed()
	if len(got) != 20_000 || strings.TrimSpace(got[19_999]) != "19999" {
		t.Errorf("%d lines arrived", len(got))
	}
	if end != (Ending{4005, "exit status 5"}) {
		t.Errorf("closed with %v", end)
	}
	log.wait(an[Closed]())
}

// A child that does not read hides neither the client's close nor its pings.
func TestDeafChild(t *testing.T) {
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
	h := child(&Handler{Bounds: Bounds{MaxMessageSize: 10_000, PingInterval: 20 * time.Millisecond}}, "deaf")
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
	log.wait(an[Closed]())
	log.wait(closedWith(1006))
}

// A client that reads nothing and pings is answered when it reads on, and is
// no reason to end (the library alone would, after 5 seconds).
func TestPingsOfAClientThatDoesNotRead(t *testing.T) {
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
	seen := -1
	until(l.t, func() bool {
		n := l.count(says("another block"))
		still := n > 0 && n == seen
		seen = n
		time.Sleep(200 * time.Millisecond)
		return still
	}, func() string { return "a blocked child" })
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
			if _, end := p.closed(); end.Code != test.want {
				t.Errorf("closed with %v, want %d", end, test.want)
			}
			log.wait(says("1 lines, 4 bytes")) // nothing but what was whole and right
			log.wait(an[Closed]())
			if strings.Contains(log.String(), "ERROR") {
				t.Errorf("a client's fault is no error of ours:\n%s", log)
			}
		})
	}
}

// A message that is exactly as big as allowed is let in.
func TestMessageLimit(t *testing.T) {
	p := connect(t, serve(t, child(&Handler{Bounds: Bounds{MaxMessageSize: 1000}}, "echo")))
	want := strings.Repeat("x", 1000)
	p.write(text(want))
	if got := p.message(); got != want {
		t.Errorf("got %d bytes", len(got))
	}
}

// A message that the connection ends in is not fed, wherever that is: also
// between two of its frames, or between a header and its payload.
func TestEndWithinAMessage(t *testing.T) {
	fragments := appendFrame(nil, opText, []byte("begun "), true)
	edges := []int{len(fragments)}
	fragments = appendFrame(fragments, opContinuation, []byte("and not "), true)
	edges = append(edges, len(fragments), len(fragments)+2, len(fragments)+6)
	fragments = appendFrame(fragments, finBit|opContinuation, []byte("ended"), true)
	for _, cut := range append(edges, len(fragments)-1) {
		h := child(&Handler{}, "count")
		h.Bounds.Grace = testLimit
		log := record(t, h)
		p := connect(t, serve(t, h))
		p.write(append(text("one"), fragments[:cut]...))
		p.CloseWrite()
		log.wait(says("lines, "))
		log.wait(closedWith(1006))
		if !log.has(says("1 lines, 4 bytes")) {
			t.Errorf("cut at %d of %d, the log:\n%s", cut, len(fragments), log)
		}
	}
}

// The child's input does not end before the session has its cause. A child
// that exits at the end of its input used to be taken for the cause at times.
func TestInputEndsAfterTheCause(t *testing.T) {
	for in, want := range map[string]int{
		string(closing(4321, "bye")): 4321,
		string(text("x")[:3]):        1006,
		"nonsense":                   1002,
	} {
		var cause error
		to := &closeSink{}
		s, _ := inMemory(t, Lines{}, 1000, append(text("one"), in...), nil, to)
		to.close = func() { cause = context.Cause(s.ctx) }
		r, w := io.Pipe() // we have nothing to say, and do not end
		s.far.(*ownStreams).input = r
		s.run()
		w.Close()
		<-s.outputDone
		if got, _ := errors.AsType[Ending](cause); got.Code != want {
			t.Errorf("the input ended with cause %v, want %d", cause, want)
		}
	}
}

// A closeSink tells when it is closed.
type closeSink struct {
	discard
	close func()
}

func (s *closeSink) Close() error {
	s.close()
	return nil
}

// A child that closes its input goes on printing.
func TestChildClosesStdin(t *testing.T) {
	h := child(&Handler{}, "closein", "300")
	p := connect(t, serve(t, h))
	if got := p.message(); got != "closed" {
		t.Fatal(got)
	}
	p.write(bytes.Repeat(text(strings.Repeat("x", 1000)), 500))
	if got := p.message(); got != "still here" {
		t.Fatal(got)
	}
	p.wantClose(Ending{1000, ""})
}

// A line of any length on stderr is drained and logged.
func TestStderr(t *testing.T) {
	h := child(&Handler{}, "stderr", "1000000")
	log := record(t, h)
	p := connect(t, serve(t, h))
	if got := p.message(); got != "done" {
		t.Fatal(got)
	}
	log.complaints(1_000_000)
	p.write(closing(1000, ""))
	p.wantClose(Ending{1000, ""})
}

// The peer is dead when two pings were not answered; one that answers, or
// sends anything, lives, however slow its child.
func TestPings(t *testing.T) {
	h := child(&Handler{Bounds: Bounds{PingInterval: 200 * time.Millisecond}}, "deaf")
	log := record(t, h)
	srv := serve(t, h)
	alive, dead := connect(t, srv), connect(t, srv)
	alive.message()
	dead.message()
	for range 10 {
		f := alive.next()
		if f.op != opPing {
			t.Fatalf("got %x", f.op)
		}
		alive.write(appendFrame(nil, finBit|opPong, f.payload, true))
	}
	if n := log.count(closedBecause(errPeerDead)); n != 1 {
		t.Errorf("%d of two sessions ended, want the one that did not answer:\n%s", n, log)
	}
	alive.write(closing(1000, ""))
	alive.wantClose(Ending{1000, ""})
}

// Connections that vanish leave nothing.
func TestConnectionLost(t *testing.T) {
	for _, how := range []string{"reset", "end of file"} {
		t.Run(how, func(t *testing.T) {
			h := child(&Handler{}, "echo")
			log := record(t, h)
			p := connect(t, serve(t, h))
			p.write(text("x"))
			p.message()
			if how == "reset" {
				p.SetLinger(0)
			}
			p.Close()
			log.wait(closedWith(1006))
		})
	}
}

func TestMaxForks(t *testing.T) {
	h := child(&Handler{Limits: &Limits{MaxForks: 1}}, "echo")
	srv := serve(t, h)
	p := connect(t, srv)
	if status := handshake(t, srv); status != 429 {
		t.Errorf("got %d", status)
	}
	p.write(closing(1000, ""))
	p.wantClose(Ending{1000, ""})
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the slot" })
	connect(t, srv)
}

func TestShutdown(t *testing.T) {
	h := child(&Handler{}, "echo")
	srv := serve(t, h)
	p := connect(t, srv)
	p.write(text("x"))
	p.message()
	done := make(chan error, 1)
	go func() { done <- h.Shutdown(t.Context()) }()
	p.wantClose(Ending{1001, "server shutting down"})
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Errorf("a second time: %v", err)
	}
}
