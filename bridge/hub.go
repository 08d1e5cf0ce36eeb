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
	clients   clientele
	log       *wire.Log
	abandoned chan wire.Ending // holds why nobody wants the program any more
	done      chan struct{}    // closed by finish: no client has to be told the end any more

	mu       sync.Mutex
	run      hubRun
	seats    map[*seat]struct{}
	received wire.Traffic // what the program has been given by all seats
	alone    *time.Timer  // runs while there is no seat; else nil
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

// hubOptions are what Resume and Share say of a hub.
type hubOptions struct {
	buffer  int           // bytes of messages that are kept
	pings   bool          // they find out whether clients live
	restart bool          // the program is started again when it has exited
	alone   time.Duration // that the program goes on without a seat; negative: as long as it likes
}

// A clientele is for whom a hub's program runs: for one client that may come back
// (soleClient), or for all (audience). The hub's mu is locked when it is called, unless
// it says otherwise.
type clientele interface {
	// newLog returns the hub's log, which holds so many bytes. Nothing is locked yet.
	newLog(h *hub, buffer int) *wire.Log

	// from returns the number of the first message that a visit's client gets (0: where a
	// new client begins), and whether it continues an earlier connection. first says that
	// the visit has made the hub. It is called without the lock.
	from(v *visit, first bool) (number int64, resumed bool)

	// seat gives a seat its cursor, or returns the Ending that its client's link is closed
	// with.
	seat(h *hub, s *seat, from int64) error

	// ends reports whether a client whose link ends in this way ends the program. It is
	// called without the lock, too.
	ends(how Ending) bool

	// left decides what it means for the program that a seat has left, whose client's
	// session has ended for a cause. answered says whether the client answered the close
	// frame.
	left(h *hub, s *seat, cause error, answered bool)

	// keepsEnding reports whether a hub that ends waits for a client that is away.
	keepsEnding(exited bool, ending Ending) bool

	// program and visitor set up the sessions of the program, with its job, and of a
	// client, before they run: either has the time-outs. They are called without the lock.
	program(*session, *job)
	visitor(*session)

	// owner is what is told of the program in an event, when a client's visit has started
	// it. It is called without the lock.
	owner(visit Info) Info
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

func newHub(s *service, key hubKey, name, id string, c clientele, o hubOptions) *hub {
	h := &hub{
		service: s, key: key, name: name, id: id, options: o, clients: c,
		abandoned: make(chan wire.Ending, 1),
		done:      make(chan struct{}),
		seats:     make(map[*seat]struct{}),
		run:       newHubRun(),
	}
	h.log = h.clients.newLog(h, o.buffer)
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
	for {
		run := h.currentRun()
		if !s.awaits(run.ready) {
			return nil
		}
		if now := h.currentRun(); now.ready == run.ready { // else that run has ended meanwhile
			return now.job
		}
	}
}

func (h *hub) currentRun() hubRun {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.run
}
