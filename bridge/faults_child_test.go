package bridge

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// childFaults are what children do. Those that take Unix or Linux are added
// elsewhere.
var childFaults = []fault{
	{
		name:   "exits at once",
		tls:    true,
		inject: func(s *scene) { s.open("exit&3").wantClose(Ending{4003, "exit status 3"}) },
		ends:   closedWith(4003),
	}, {
		// The handshake is over when the client has read the answer.
		name: "exits before the handshake is over",
		inject: func(s *scene) {
			p := dial(s, s.srv.Listener.Addr().String())
			s.peers = append(s.peers, p)
			p.write([]byte(handshakeFor(s.srv, "/?exit&3")))
			until(s, func() bool {
				return s.log.count(an[Started]()) == 2 && processes(s.mark) <= 1
			}, func() string { return "the child's end" })
			p.wantSwitch()
			p.wantClose(Ending{4003, "exit status 3"})
		},
		ends: closedWith(4003),
	}, {
		name: "closes its input",
		inject: func(s *scene) {
			p := s.open("closein&200")
			p.message()
			p.write(bytes.Repeat(text(strings.Repeat("x", 1000)), 500))
			got, end := p.closed()
			if len(got) != 1 || got[0] != "still here" || end.Code != 1000 {
				s.Errorf("%q, %v", got, end)
			}
		},
		ends: an(func(e Closed) bool { return e.Ending.Code == 1000 && e.State.String() == "exit status 0" }),
	}, {
		name: "closes its output",
		inject: func(s *scene) {
			p := s.open("closeout&7")
			p.wantClose(Ending{4007, "exit status 7"})
		},
		ends: closedWith(4007),
	}, {
		name: "prints a lot without a newline",
		inject: func(s *scene) {
			p := s.open(fmt.Sprint("oneline&", lots))
			s.bounded(func() { p.wantOneLine(lots) })
			p.wantClose(Ending{1000, ""})
		},
		ends: an(func(e Closed) bool { return e.Out == Traffic{1, int64(lots)} }),
	}, {
		name: "prints binary junk",
		inject: func(s *scene) {
			got, end := s.open("junk").closed()
			var pieces []string
			for _, line := range strings.Split(string(junk()), "\n") {
				pieces = append(pieces, strings.TrimSuffix(string(appendValid(nil, []byte(line))), "\r"))
			}
			if strings.Join(got, "\n") != strings.Join(pieces, "\n") {
				s.Errorf("%d messages, want %d others", len(got), len(pieces))
			}
			for _, m := range got {
				if !utf8.ValidString(m) {
					s.Errorf("%.50q", m)
				}
			}
			if end.Code != 1000 {
				s.Error(end)
			}
		},
		ends: closedWith(1000),
	}, {
		name: "complains in long lines",
		inject: func(s *scene) {
			p := s.open("complain&5&1000000")
			if got := p.message(); got != "done" {
				s.Error(got)
			}
			s.log.complaints(5_000_000)
			p.write(closing(1000, ""))
			p.wantClose(Ending{1000, ""})
		},
		ends: closedWith(1000),
	},
}

func init() {
	// oneline N prints N bytes and no newline.
	children["oneline"] = func(args []string) {
		for left := number(args[0]); left > 0; {
			n := min(left, len(alphabets()))
			os.Stdout.Write(alphabets()[:n])
			left -= n
		}
	}
	children["junk"] = func([]string) { os.Stdout.Write(junk()) }
	// complain N SIZE writes N lines to its standard error.
	children["complain"] = func(args []string) {
		for range number(args[0]) {
			os.Stderr.Write(append(bytes.Repeat([]byte("e"), number(args[1])), '\n'))
		}
		fmt.Println("done")
		io.Copy(io.Discard, os.Stdin)
	}
}

// alphabets are so many that a whole frame can be compared at once, wherever
// it begins. They are made when they are needed: every child runs what
// initializes this package.
var alphabets = sync.OnceValue(func() []byte {
	return bytes.Repeat([]byte("abcdefghijklmnopqrstuvwxyz"), 2*maxFrame/26)
})

// junk is every pair of bytes.
func junk() []byte {
	var b []byte
	for i := range 256 {
		for k := range 256 {
			b = append(b, byte(i), byte(k))
		}
	}
	return b
}

// wantOneLine reads one message of oneline, which comes in fragments.
func (p *peer) wantOneLine(size int) {
	p.t.Helper()
	got, frames := 0, 0
	for last := false; !last; frames++ {
		p.SetDeadline(time.Now().Add(testLimit))
		f := p.next()
		if f.op == opPing {
			p.write(appendFrame(nil, finBit|opPong, f.payload, true))
			continue
		}
		if op := byte(opContinuation); frames == 0 {
			op = opText
			if f.op != op {
				p.t.Fatalf("begins with opcode %x", f.op)
			}
		} else if f.op != op {
			p.t.Fatalf("opcode %x in the middle", f.op)
		}
		if len(f.payload) > maxFrame+largeBuffer || !bytes.HasPrefix(alphabets()[got%26:], f.payload) {
			p.t.Fatalf("%d bytes after %d are not what was printed", len(f.payload), got)
		}
		got += len(f.payload)
		last = f.fin
	}
	if got != size {
		p.t.Errorf("%d bytes arrived of %d", got, size)
	}
}
