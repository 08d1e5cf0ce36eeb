package bridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A hub stands between a program and the links that come and go while it runs.
// To the program's session it is a link (hub_link.go): what the program says
// goes into a log. To each client's session it is a far end: a seat, which reads
// the log at its own pace and gives the program what its client sends.
type hub struct {
	// Static after construction.
	service   *service
	key       hubKey
	name      string // what clients come back with
	id        string // of the program's session
	options   hubOptions
	log       *wire.Log
	abandoned chan wire.Ending // holds why nobody wants the program any more
	done      chan struct{}    // closed when there is nobody left to tell the end to

	mu       sync.Mutex
	run      hubRun
	seats    map[*seat]struct{}
	received wire.Traffic // what the program has been given
	alone    *time.Timer  // runs while there is no seat; nil: it never did
	ending   *wire.Ending // how every link is to end, when that is known
	exited   bool         // because the program has
	over     bool         // nobody may come any more
}

// A hubRun is one run of a hub's program.
type hubRun struct {
	ready   chan struct{} // closed when job is there, or never will be
	stopped chan struct{} // closed by Stop
	job     *job          // nil before it has started
}

// hubOptions are what a hub is for.
type hubOptions struct {
	// single: there is one client, which may come back: a newer seat takes over
	// from an older one, and the client's close ends the program.
	single bool

	// alone is how long the program goes on without a seat; negative: for good.
	alone time.Duration

	buffer    int // bytes of messages that are kept
	retention wire.Retention
	skip      bool  // a client that is too slow goes on with the newest message
	replay    int64 // of the newest messages, for a client that has none
	restart   bool  // the program is started again when it has exited
}

// How a link of a hub may end besides.
var (
	errTakenOver = Ending{4409, "taken over"}
	errTooSlow   = Ending{codeTryAgainLater, "too slow"}
	errNoSession = Ending{4404, "no such session"}
	errNoClient  = Ending{codeGoingAway, "no client"}
)

// programEnded is the cause for which the links of a program that has exited end.
type programEnded struct{ Ending }

func (programEnded) Is(target error) bool { return target == errChildDone }

func newHub(s *service, key hubKey, name, id string, o hubOptions) *hub {
	h := &hub{
		service: s, key: key, name: name, id: id, options: o,
		abandoned: make(chan wire.Ending, 1),
		done:      make(chan struct{}),
		seats:     make(map[*seat]struct{}),
		run:       newHubRun(),
	}
	h.log = wire.NewLog(o.buffer, o.retention, h.askSeats)
	return h
}

func newHubRun() hubRun { return hubRun{ready: make(chan struct{}), stopped: make(chan struct{})} }

// setJob says what the run's program is.
func (h *hub) setJob(j *job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.run.job = j
}

// notStarted ends a hub whose program cannot be started.
func (h *hub) notStarted(end Ending) {
	h.mu.Lock()
	close(h.run.ready)
	h.mu.Unlock()
	h.Answer(wire.Ending(end))
	h.Close(wire.Ending(end), 0)
}

// restarts waits for the time of the next run of the program. It reports whether
// there is one.
func (h *hub) restarts(ctx context.Context, wait time.Duration) bool {
	if !h.options.restart || !h.isOpen() {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.done:
	case <-ctx.Done():
		if end, ok := errors.AsType[Ending](context.Cause(ctx)); ok {
			h.Answer(wire.Ending(end))
			h.Close(wire.Ending(end), 0)
		}
	}
	return false
}

// isOpen reports whether clients may come.
func (h *hub) isOpen() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.over && h.ending == nil
}

// input waits for the program, for as long as a seat's client is there, and
// returns it; nil if there is none to come.
func (h *hub) input(s *seat) *job {
	h.mu.Lock()
	run := h.run
	h.mu.Unlock()
	select {
	case <-run.ready:
	default:
		look := time.NewTicker(goneInterval)
		defer look.Stop()
		for waits := true; waits; {
			select {
			case <-run.ready:
				waits = false
			case <-s.ctx.Done():
				return nil
			case <-look.C:
				if s.conn.IsGone() {
					return nil
				}
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.run.job
}
