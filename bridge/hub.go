package bridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A hub stands between a program and the links that come and go while it runs.
// The program's session has it for a link (hub_link.go), whose Send appends to a
// log. Each client's session has a seat of it for a far end. A seat reads the log
// at its own pace and gives the program what its client sends.
type hub struct {
	// Static after construction.
	service   *service
	key       hubKey
	name      string // what clients come back with
	id        string // of the program's session
	options   hubOptions
	log       *wire.Log
	abandoned chan wire.Ending // gets why nobody wants the program any more, once
	done      chan struct{}    // closed by finish: no client has to be told the end any more

	mu       sync.Mutex
	run      hubRun
	seats    map[*seat]struct{}
	received wire.Traffic // what the program has been given by all seats
	newest   int64        // the number of the latest visit that has had a seat
	alone    *time.Timer  // runs while there is no seat; nil before the first time
	hubFate
}

// A hubFate is how a hub ends, as far as that is known.
type hubFate struct {
	ending *wire.Ending // how every client's link is to end; nil while that is open
	exited bool         // ending tells how the program exited
	over   bool         // no client is let in any more
}

// A hubRun is one run of a hub's program.
type hubRun struct {
	ready   chan struct{} // closed when job is there, or never will be
	stopped chan struct{} // closed by Stop, when the program's session ends
	job     *job          // nil before it has started
}

// hubOptions are how Resume's and Share's hubs differ.
type hubOptions struct {
	// single says that the hub has one client, which may come back. A newer seat
	// takes over from an older one, and the client's close ends the program.
	single bool

	// pings says that they find out whether clients live.
	pings bool

	// alone is how long the program goes on without a seat; if it is negative, for
	// as long as it likes.
	alone time.Duration

	buffer    int // bytes of messages that are kept
	retention wire.Retention
	skip      bool  // a client that is too slow continues with the newest message
	replay    int64 // how many of the newest messages a new client gets first
	restart   bool  // the program is started again when it has exited
}

// These are endings of links that only a hub has.
var (
	errTakenOver = Ending{4409, "taken over"}
	errTooSlow   = Ending{codeTryAgainLater, "too slow"}
	errNoSession = Ending{4404, "no such session"}
	errNoClient  = Ending{codeGoingAway, "no client"}
)

// programEnded is the cause of a client's session whose hub's program has exited.
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

// setJob sets the program of the current run.
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

// restarts waits until the program is to be started again, and reports whether it
// is.
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

// isOpen reports whether clients are let in.
func (h *hub) isOpen() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.over && h.ending == nil
}

// input returns the program of the current run. It waits for the start of that as
// long as the seat's client is there; nil means that there will be none.
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
