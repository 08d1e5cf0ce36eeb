package bridge

import (
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A client that gives something while a run ends and the next one begins is not taken
// for one of a program that cannot be started, whose messages are dropped for good.
func TestInputBetweenRuns(t *testing.T) {
	h := Share{Restart: true}.newHub(&Handler{}, hubKey{})
	start := func() {
		h.setJob(new(job))
		close(h.currentRun().ready)
	}
	start()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 50_000 {
			h.Close(wire.Ending{Code: codeNormal}, 0)
			start()
		}
	}()
	s := &seat{hub: h, ctx: t.Context()}
	for {
		if h.input(s) == nil {
			t.Fatal("there is no program")
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// Who comes while the last run of a program ends waits for its place, as where it is
// not started again.
func TestPlaceOfTheLastRun(t *testing.T) {
	for _, restart := range []bool{false, true} {
		h := shared(Share{Restart: restart, Replay: 1}, "deaf")
		h.Limits, h.Bounds.Grace = &Limits{MaxForks: 1}, 200*time.Millisecond
		events := record(t, h)
		srv := serve(t, h)
		first := connect(t, srv)
		first.message()
		first.write(closing(1000, ""))
		events.wait(aDetachment)
		if got := connect(t, srv).message(); got != "ready" { // it is not refused
			t.Error(got)
		}
		events.wait(an[Closed]())
	}
}

// The program's session hears of every message: also one that ReadOnly drops, and one
// that asks for an action, keeps the session from being idle.
func TestHeardByTheProgramsSession(t *testing.T) {
	for _, c := range []codec{Lines{}.newCodec(), ReadOnly{}.newCodec(), asking{Lines{}.newCodec()}} {
		h := Resume{}.newHub(&Handler{}, &visit{})
		j, heard := new(job), 0
		j.in.arrived = func(bool, bool) { heard++ }
		j.feed.closed = true // it takes everything
		h.setJob(j)
		close(h.currentRun().ready)
		s := &seat{hub: h, ctx: t.Context()}
		s.giver.accept = s.accept
		s.in = inbox{codec: &counting{c, s}, give: s.give, act: s.act}
		h.seats[s] = struct{}{}
		s.in.Message(wire.Text, append(s.in.Room(nil, 1), 'x'), true)
		s.in.Wait(false)
		if heard != 1 || h.received.Messages != 1 {
			t.Errorf("%T: heard %d times of %d messages", c, heard, h.received.Messages)
		}
	}
}

// An asking codec makes an action of each message.
type asking struct{ codec }

func (asking) feed(batch []byte, start int, _ wire.Kind) ([]byte, action, error) {
	return batch[:start], func(*job) {}, nil
}

// A time that is over just when a client comes does not count when that one leaves, and
// what belongs to a hub that is over does not wait for the end of that time.
func TestTimeAlone(t *testing.T) {
	h := Share{Keep: 1}.newHub(&Handler{}, hubKey{})
	h.mu.Lock()
	h.startAlone(errNoClient)
	time.Sleep(50 * time.Millisecond) // it is over, and finds the hub locked
	h.stopAlone()                     // a client comes
	h.options.alone = time.Hour
	h.startAlone(errNoClient)
	h.mu.Unlock()
	for range 100 {
		time.Sleep(time.Millisecond)
		if !h.isOpen() {
			t.Fatal("it is over too soon")
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	timer := h.alone
	h.finish()
	if timer.Stop() {
		t.Error("its timer runs on")
	}
}
