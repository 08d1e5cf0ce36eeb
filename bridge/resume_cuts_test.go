package bridge

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// cutsVar, when set, has TestResumeCuts cut after each byte in every way. Without
// it some ways take larger steps.
const cutsVar = "WSBRIDGE_CUTS"

// A wayBack is when a client comes back whose connection was cut.
type wayBack int

const (
	atOnce   wayBack = iota // before the server knows
	later                   // when it knows
	takeOver                // while the connection is still open: it has only stalled
)

func (w wayBack) String() string { return [...]string{"at once", "later", "take over"}[w] }

// Wherever a connection is cut, either way, and whenever its client comes back: one
// that counts loses nothing and gets nothing twice, and neither does the program; to
// any other there is no gap.
func TestResumeCuts(t *testing.T) {
	for _, counting := range []bool{true, false} {
		for _, down := range []bool{false, true} {
			for _, back := range []wayBack{atOnce, later, takeOver} {
				step := 1
				if (!counting || back != atOnce) && os.Getenv(cutsVar) == "" {
					step = 11
				}
				t.Run(fmt.Sprintf("counting=%t/down=%t/%s", counting, down, back), func(t *testing.T) {
					t.Parallel()
					testCuts(t, counting, down, back, step)
				})
			}
		}
	}
}

func testCuts(t *testing.T, counting, down bool, back wayBack, step int) {
	// So little is kept that the server pings all the time, and its program waits.
	h := child(&Handler{Hosting: Resume{For: time.Hour, Buffer: 300}}, "model")
	events := record(t, h)
	m := &model{t: t, srv: serve(t, h), key: testKey, counting: counting, size: 20}
	visit := func(n int) {
		if down {
			m.visit(-1, n, back == takeOver)
		} else {
			m.visit(n, -1, back == takeOver)
		}
		if back == later {
			events.waitFor(m.greets, aDetachment)
		}
	}
	for n := 0; n < 500; n += step {
		m.sayMore(3)
		if visit(n); !counting && n%8 == 0 {
			m.say(1) // else what it has not heard would become more and more
			m.visit(-1, -1, false)
		}
	}
	m.say(5)
	m.exits = true
	for n := 0; !m.ended; n += step {
		if visit(n); !counting {
			m.wrote = m.sent - 1 // it cannot know whether that has arrived
		}
	}
	m.leave()
	events.wait(an[Closed](func(e Closed) bool { return e.Ending == modelEnd }))
	if n := events.count(an[Started]()); n != 1 {
		t.Errorf("%d programs were started", n)
	}
	resume(t, m.srv, received(testKey, 1), false).wantClose(errNoSession)
	t.Logf("%d connections, %d messages sent, %d received", events.count(anAttachment), m.sent, m.got)
}
