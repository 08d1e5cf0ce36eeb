package bridge

import (
	"testing"
	"time"
)

func init() {
	// slow does what echo does, and takes its time to end.
	children["slow"] = func([]string) {
		children["echo"](nil)
		time.Sleep(50 * time.Millisecond)
	}
}

// A page that is reloaded gets a session each time, though the program of the
// one before is still ending.
func TestReconnectAtOnce(t *testing.T) {
	t.Parallel()
	closes := func(p *peer) { p.write(closing(1001, "")); p.Close() }
	for _, test := range []struct {
		name   string
		limits *Limits
		times  int
		leave  func(*peer)
		code   int
	}{
		{"close", &Limits{MaxForks: 1}, 20, closes, 1001},
		{"vanish", &Limits{MaxForks: 1}, 20, func(p *peer) { p.Close() }, 1006},
		{"reset", &Limits{MaxForks: 1}, 20, func(p *peer) { p.SetLinger(0); p.Close() }, 1006},
		{"close, one address", &Limits{MaxPerAddress: 1}, 5, closes, 1001},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// With this grace the program has all the time to end by itself.
			h := child(&Handler{Limits: test.limits, Bounds: Bounds{Grace: testLimit}}, "slow")
			log := record(t, h)
			srv := serve(t, h)
			for range test.times {
				p := connect(t, srv)
				p.write(text("here"))
				if got := p.message(); got != "here" {
					t.Errorf("got %q", got)
				}
				test.leave(p)
			}
			log.waitFor(test.times, closedWith(test.code))
			if log.has(an[Refused]()) {
				t.Errorf("somebody was refused:\n%s", log)
			}
		})
	}
}
