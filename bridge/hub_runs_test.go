package bridge

import (
	"testing"

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
