package bridge

import (
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A session ends when its time is up, to the nanosecond.
func TestTimeouts(t *testing.T) {
	const timeout, idle = time.Minute, 10 * time.Second
	half := text("a message that comes in two pieces")
	type step struct {
		wait time.Duration
		send []byte // the client
		says string // the child
	}
	every := func(wait time.Duration, n int, s step) (steps []step) {
		s.wait = wait
		for range n {
			steps = append(steps, s)
		}
		return steps
	}
	in, out := step{send: text("in")}, step{says: "out\n"}
	for _, test := range []struct {
		name          string
		timeout, idle time.Duration
		steps         []step
		want          Ending
		took          time.Duration
	}{
		{"nothing", timeout, idle, nil, errIdle, idle},
		{"nothing, and no limit to idleness", timeout, 0, nil, errTimeout, timeout},
		{"the shorter limit", 8 * time.Second, idle, nil, errTimeout, 8 * time.Second},
		{"messages from the client", 0, idle, every(9*time.Second, 20, in), errIdle, 190 * time.Second},
		{"to the client", 0, idle, every(9*time.Second, 20, out), errIdle, 190 * time.Second},
		{"both ways", timeout, idle, every(9*time.Second, 6, step{send: text("in"), says: "out\n"}), errTimeout, timeout},
		{"by turns", 0, idle, append(every(9*time.Second, 1, in), append(every(9*time.Second, 1, out), every(9*time.Second, 1, in)...)...), errIdle, 37 * time.Second},
		{"an empty message", 0, idle, []step{{wait: time.Second, send: text("")}}, errIdle, 11 * time.Second},
		{"an empty line", 0, idle, []step{{wait: time.Second, says: "\n"}}, errIdle, 11 * time.Second},
		{"half a line is no message", 0, idle, []step{{wait: time.Second, says: "half"}}, errIdle, idle},
		{"half a message is none", 0, idle, []step{{wait: time.Second, send: half[:20]}}, errIdle, idle + closeLimit}, // it cannot answer
		{"a message in two pieces", 0, idle, []step{{wait: time.Second, send: half[:20]}, {wait: 5 * time.Second, send: half[20:]}}, errIdle, 16 * time.Second},
		{"pings", timeout, idle, every(time.Second, 9, step{send: ping("")}), errIdle, idle},
		{"long silence", 48 * time.Hour, 24 * time.Hour, []step{{wait: 24*time.Hour - 1, says: "out\n"}}, errIdle, 48*time.Hour - 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				source, child := io.Pipe()
				defer child.Close()
				h := &Handler{Bounds: Bounds{PingInterval: -1, Timeout: test.timeout, IdleTimeout: test.idle}}
				if test.name == "pings" {
					h.Bounds.PingInterval = 3 * time.Second
				}
				p := runPiped(t, h, source, discard{})
				var got Ending
				read := started(func() { got = p.answers() })
				for _, s := range test.steps {
					time.Sleep(s.wait)
					io.WriteString(child, s.says)
					p.send(s.send)
				}
				<-read
				<-p.done
				if p.end != test.want || p.took != test.took {
					t.Errorf("ended with %v after %v, want %v after %v", p.end, p.took, test.want, test.took)
				}
				if got != test.want {
					t.Errorf("the client was told %v", got)
				}
			})
		})
	}
}

// answers is a client that answers pings and the close frame, which it returns.
func (p *piped) answers() (end Ending) {
	for {
		f, err := p.frame()
		if err != nil {
			return end
		}
		switch f.op {
		case opPing:
			p.send(masked(finBit|opPong, string(f.payload)))
		case opClose:
			end = Ending{int(binary.BigEndian.Uint16(f.payload)), string(f.payload[2:])}
			p.send(closing(end.Code, end.Reason))
		}
	}
}

// A client that reads slowly what is one message is not idle.
func TestNotIdleWhileItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, child := io.Pipe()
		defer child.Close()
		p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: -1, IdleTimeout: 10 * time.Second}}, source, discard{})
		const size = 5*largeBuffer + 1000
		go io.WriteString(child, strings.Repeat("x", size)+"\n")
		b := make([]byte, largeBuffer)
		for range 5 {
			time.Sleep(9 * time.Second)
			io.ReadFull(p.Conn, b)
		}
		io.ReadFull(p.Conn, b[:1000+10])
		if got := p.answers(); got != errIdle || time.Duration(p.session.idle.out.Load()) != 45*time.Second {
			t.Errorf("ended with %v", got)
		}
		<-p.done
		if p.took != 55*time.Second {
			t.Errorf("ended after %v", p.took)
		}
	})
}

// The child is ended by the ladder, and the client told when that is done.
func TestTimeoutEndsTheChild(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Bounds: Bounds{Timeout: time.Millisecond}}, "deaf")
	log := record(t, h)
	connect(t, serve(t, h)).wantClose(errTimeout)
	log.wait(an(func(e Closed) bool { return e.Ending == errTimeout && e.State.Signal != 0 }))
}
