package bridge

import (
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// A program that several clients talk to is told of once, and as such.
func TestSilentShared(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Hosting: Share{}}, "mute")
	log := record(t, h)
	srv := serve(t, h)
	for range 3 {
		connect(t, srv).write(text("in"))
	}
	log.wait(an(func(e Silent) bool { return e.Remote == "" && e.Pid != 0 }))
	if n := log.count(an[Silent]()); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// When it is told that a program has sent nothing: once, 5 s after its first message, and
// only if it has never sent one and the session goes on.
func TestSilent(t *testing.T) {
	const s = time.Second
	half := text("a message that comes in two pieces")
	type step struct {
		wait time.Duration
		send []byte // the client
		says string // the program
	}
	in, out := step{send: text("in")}, step{says: "out\n"}
	after := func(wait time.Duration, s step) step { s.wait = wait; return s }
	for _, test := range []struct {
		name  string
		steps []step
		idle  time.Duration
		at    time.Duration // zero: never
	}{
		{"no input", nil, 0, 0},
		{"input", []step{after(3*s, in)}, 0, 8 * s},
		{"input, and more of it", []step{after(s, in), after(3*s, in), after(4*s, in)}, 0, 6 * s},
		{"an empty message", []step{{send: text("")}}, 0, 5 * s},
		{"an answer", []step{after(s, in), after(4*s, out)}, 0, 0},
		{"an answer that is late", []step{in, after(6*s, out)}, 0, 5 * s},
		{"an empty line", []step{in, after(s, step{says: "\n"})}, 0, 0},
		{"half a line", []step{in, after(s, step{says: "half"})}, 0, 5 * s},
		{"output before, then silence", []step{out, after(s, in)}, 0, 0},
		{"half a message", []step{{send: half[:20]}}, 0, 0},
		{"a message in two pieces", []step{{send: half[:20]}, after(2*s, step{send: half[20:]})}, 0, 7 * s},
		{"pings", []step{{send: ping("")}}, 0, 0},
		{"the client leaves", []step{in, after(4*s, step{send: closing(1000, "")})}, 0, 0},
		{"the session is ended", []step{in}, 4 * s, 0},
		{"beside a limit for idleness", []step{in}, 30 * s, 5 * s},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				source, program := io.Pipe()
				h := &Handler{Bounds: Bounds{PingInterval: -1, IdleTimeout: test.idle}}
				began := time.Now()
				var told []time.Duration // by the bubble's only timer
				h.Events = func(e Event) {
					if e, ok := e.(Silent); ok && e.For == 5*s {
						told = append(told, time.Since(began))
					}
				}
				p := runPiped(t, h, source, discard{})
				go p.answers()
				for _, s := range test.steps {
					time.Sleep(s.wait)
					io.WriteString(program, s.says)
					p.send(s.send)
				}
				time.Sleep(20 * s)
				program.Close()
				<-p.done
				if want := test.at; len(told) > 1 || want == 0 && len(told) > 0 || want > 0 && (len(told) == 0 || told[0] != want) {
					t.Errorf("told after %v, want %v", told, want)
				}
			})
		})
	}
}

// A session ends when the listener has been told, and not before.
func TestSilentIsToldBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, program := io.Pipe()
		listening, goOn := make(chan struct{}), make(chan struct{})
		h := &Handler{Bounds: Bounds{PingInterval: -1}}
		h.Events = func(e Event) {
			if _, ok := e.(Silent); ok {
				close(listening)
				<-goOn
			}
		}
		p := runPiped(t, h, source, discard{})
		go p.answers()
		p.send(text("in"))
		<-listening
		program.Close()
		time.Sleep(time.Minute)
		select {
		case <-p.done:
			t.Error("the session has ended")
		default:
		}
		close(goOn)
		<-p.done
	})
}

// A program that is not given what clients send is not expected to answer.
func TestSilentOfAReadOnlyProgram(t *testing.T) {
	events := func(Event) {}
	if (&Handler{Framing: ReadOnly{}, Events: events}).silent(&Info{}) != nil {
		t.Error("it would be told of")
	}
	if (&Handler{Events: events}).silent(&Info{}) == nil || (&Handler{}).silent(&Info{}) != nil {
		t.Error("others would not, or nobody would")
	}
}
