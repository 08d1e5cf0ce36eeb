package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

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
	t.Parallel()
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
	t.Parallel()
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
		got, end := p.closedAndLeft()
		if want := (Ending{4005, "exit status 5"}); len(got) != 3 || end != want {
			t.Errorf("cut at %d: got %q, %v", cut, got, end)
		}
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
		<-s.outputDone.c
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
