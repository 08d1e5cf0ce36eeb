package bridge

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// read reads up to the close frame, answers it and reads to the end of the connection.
// Each ping is answered as answer says, which may be nil.
func (p *piped) read(answer func(ping []byte) (pong []byte)) (messages []string, closed reply) {
	p.t.Helper()
	for {
		f := p.next()
		switch f.op {
		case opText:
			messages = append(messages, string(f.payload))
		case opPing:
			if answer != nil {
				f.payload = answer(f.payload)
			}
			p.send(ponging(f.payload))
		case opClose:
			p.send(appendFrame(nil, finBit|opClose, f.payload, true))
			p.wantRest()
			return messages, reply{f.op, string(f.payload)}
		}
	}
}

// numbered is the output of a program that prints so many lines.
func numbered(lines, width int) string {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "%*d\n", width, i)
	}
	return b.String()
}

// A client that got much and reads on only after seconds gets all of it, though
// its system had it all when the program ended, and though it says something.
func TestSlowTail(t *testing.T) {
	const lines = 15_000
	synctest.Test(t, func(t *testing.T) {
		server, client := wiretest.NewSystem(10 << 20)
		p := runOver(t, client, server, &Handler{}, exiting{strings.NewReader(numbered(lines, 100))}, discard{})
		time.Sleep(closeLimit + lingerLimit + time.Second)
		if n := server.Held(); n < lines*100 {
			t.Errorf("%d bytes are on their way", n)
		}
		p.send(text("still here"))
		got, closed := p.read(nil)
		if len(got) != lines || closed != closeReply(Ending{Code: 1000}) || p.end != (Ending{Code: 1000}) {
			t.Errorf("%d lines, %v, ended with %v", len(got), closed, p.end)
		}
	})
}

// A client that answers no pings is told how its child ended all the same, when
// it has had the time to read what came before (package wire: 7 KiB a second).
func TestTailWithoutPongs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lines, interval = 900, time.Second
		output := strings.NewReader(strings.Repeat(strings.Repeat("x", 99)+"\n", lines))
		p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: interval}}, exiting{output}, discard{})
		begin, bytes := time.Now(), 0
		f := p.next()
		for ; f.op != opClose; f = p.next() {
			bytes += len(f.payload)
		}
		if bytes < lines*99 || closeReply(Ending{Code: 1000}) != (reply{f.op, string(f.payload)}) {
			t.Errorf("%d bytes, and then %x %q", bytes, f.op, f.payload)
		}
		reads := time.Duration(bytes) * time.Second / (7 << 10)
		if took := time.Since(begin); took < reads || took > reads+5*interval {
			t.Errorf("it had %v to read what takes %v", took, reads)
		}
		p.send(closing(1000, ""))
		p.wantRest()
		if p.end != (Ending{Code: 1000}) {
			t.Errorf("ended with %v", p.end)
		}
	})
}

// A client that answers only the latest of several pings is told how its
// child ended.
func TestTailPingThatIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lines = 3000
		p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: time.Second}}, exiting{strings.NewReader(numbered(lines, 100))}, discard{})
		asked := 0
		got, closed := p.read(func(ping []byte) []byte {
			if len(ping) > 0 {
				if asked++; asked == 1 {
					return nil // an answer to an earlier one
				}
			}
			return ping
		})
		if len(got) != lines || closed != closeReply(Ending{Code: 1000}) || p.end != (Ending{Code: 1000}) {
			t.Errorf("%d lines, %v, ended with %v", len(got), closed, p.end)
		}
		if asked < 2 {
			t.Errorf("asked %d times how far it has read, so that none was passed over", asked)
		}
	})
}

// The tail of a child that has exited is the session's, too: a client that
// does not read it holds the session no longer than a drain does.
func TestTimeoutInTheTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 10 * time.Second
		h := &Handler{Bounds: Bounds{PingInterval: -1, Timeout: timeout}}
		log := record(t, h)
		client, server := net.Pipe()
		defer client.Close()
		a, link := joined(t, h, server)
		s := h.newSession(a.ctx, link, nil)
		s.far = exited{newOwnStreams(strings.NewReader("first\nlast"), discard{}, 0, nil, 100, s.end)}
		begin := time.Now()
		h.run(s, a.place, a.info())
		if took := time.Since(begin); took != timeout+drainLimit {
			t.Errorf("it took %v", took)
		}
		log.wait(closedBecause(untold(Ending{Code: 1000})))
	})
}
