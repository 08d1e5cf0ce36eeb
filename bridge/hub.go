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
	alone    *time.Timer  // runs while there is no seat; nil before the first time
	ending   *wire.Ending // how every client's link is to end; nil while that is open
	exited   bool         // ending tells how the program exited
	over     bool         // no client is let in any more
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
	errTooSlow   = Ending{1013, "too slow"}
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

// askSeats is called when the log is full. Where the log waits for
// acknowledgements, it pings the clients, whose pongs are these.
func (h *hub) askSeats() {
	if h.options.retention != wire.UntilAcknowledged {
		return
	}
	h.mu.Lock()
	seats := make([]*seat, 0, len(h.seats))
	for s := range h.seats {
		seats = append(seats, s)
	}
	h.mu.Unlock()
	for _, s := range seats {
		if s.cursor.WantsItAtRest() {
			s.conn.Ping()
		}
	}
}

// attach adds a seat to the hub, which reads the log from a message on (0: where a
// new client begins). If the client cannot have a seat, the error is the Ending to
// close its link with.
func (h *hub) attach(s *seat, from int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return errNoSession
	}
	o := wire.CursorOptions{From: from, Newest: h.options.replay, Compress: s.compresses(), Skip: h.options.skip}
	if h.options.retention == wire.UntilFirst && !h.options.skip {
		o.Fallen = func() { s.stop(errTooSlow) }
	}
	if from == 0 && h.options.single {
		o.From = h.log.Acknowledged() + 1
	}
	var err error
	if from > h.log.Lent()+1 {
		err = wire.ErrNotKept // the client claims to have what nobody was sent
	} else {
		s.cursor, err = h.log.NewCursor(o)
	}
	if err != nil {
		first, _ := h.log.Kept()
		return goneEnding(first)
	}
	if h.options.single {
		s.received = h.received.Messages
		h.log.Acknowledge(s.cursor.Number())
		for old := range h.seats {
			delete(h.seats, old)
			old.stop(errTakenOver)
		}
	}
	if h.alone != nil {
		h.alone.Stop()
	}
	h.seats[s] = struct{}{}
	return nil
}

// has reports whether a seat is still one of the hub's: no other took over from it.
func (h *hub) has(s *seat) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.seats[s]
	return ok
}

// acknowledge tells the log that a seat's client has the messages up to a number.
func (h *hub) acknowledge(s *seat, number int64) {
	if h.has(s) {
		h.log.Acknowledge(number)
	}
}

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

// count counts messages that a seat is about to give to the program. It reports
// false, and the seat must not give them, if another seat has taken over.
func (h *hub) count(s *seat, messages, bytes int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.seats[s]; !ok {
		return false
	}
	h.received.Messages += int64(messages)
	h.received.Bytes += int64(bytes)
	return true
}
