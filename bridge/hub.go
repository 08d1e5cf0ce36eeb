package bridge

import (
	"context"
	"errors"
	"fmt"
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
	restart   func(ranFor time.Duration) (wait time.Duration, again bool)
}

// How a link of a hub may end besides.
var (
	errTakenOver = Ending{4409, "taken over"}
	errTooSlow   = Ending{1013, "too slow"}
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
	}
	h.log = wire.NewLog(o.buffer, o.retention, h.askSeats)
	h.begin()
	return h
}

// begin prepares for a run of the program.
func (h *hub) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.run = hubRun{ready: make(chan struct{}), stopped: make(chan struct{})}
}

// askSeats has the clients told that the log is full, if they are to say what
// they have.
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

// attach gives a seat to a client. It returns how the link is to end that gets
// none.
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
		err = wire.ErrNotKept // nobody was sent what is claimed to have arrived
	} else {
		s.cursor, err = h.log.NewCursor(o)
	}
	if err != nil {
		first, _ := h.log.Kept()
		return goneEnding(first)
	}
	if h.options.single {
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
	s.received = h.received.Messages
	return nil
}

// has reports whether a seat was not taken over by another one.
func (h *hub) has(s *seat) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.seats[s]
	return ok
}

// acknowledge takes what the client of a seat says that it has.
func (h *hub) acknowledge(s *seat, number int64) {
	if h.has(s) {
		h.log.Acknowledge(number)
	}
}

// leave is for the end of a seat's session: its cause, and whether its client
// has answered the close frame.
func (h *hub) leave(s *seat, cause error, answered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.seats[s]; !ok {
		return // it was taken over
	}
	delete(h.seats, s)
	end, _ := errors.AsType[Ending](cause)
	switch told := h.ending != nil && endsWith(cause, *h.ending); {
	case h.options.single && !told && end.Code != 0 && !isLoss(end):
		h.abandon(end) // the client does not want it any more
	case h.options.single && told && answered:
		h.finish()
	case len(h.seats) > 0:
	case h.ending != nil && !h.keepsEnding():
		h.finish()
	default:
		if isLoss(end) && h.options.single {
			h.startAlone(end)
		} else {
			h.startAlone(errNoClient)
		}
	}
}

// endsWith reports whether a cause ends a link in a certain way.
func endsWith(cause error, end wire.Ending) bool {
	if ended, ok := errors.AsType[programEnded](cause); ok {
		return ended.Ending == Ending(end)
	}
	own, ok := errors.AsType[Ending](cause)
	return ok && own == Ending(end)
}

// goneEnding is for a client that wants a message that is not kept.
func goneEnding(first int64) Ending {
	return Ending{4410, fmt.Sprintf("gone: %d is the first kept", first)}
}

// isLoss reports whether a client that leaves in this way may come back: there
// was no close frame, or its page was reloaded or left (1001).
func isLoss(end Ending) bool { return end.Code == codeAbnormal || end.Code == codeGoingAway }

// keepsEnding reports whether a client that comes back is to be told the end.
func (h *hub) keepsEnding() bool {
	if !h.options.single || h.ending == nil {
		return false
	}
	return h.exited || Ending(*h.ending) == errTimeout || Ending(*h.ending) == errIdle
}

// startAlone begins the time that the program goes on without a seat. h.mu is
// locked.
func (h *hub) startAlone(why Ending) {
	switch d := h.options.alone; {
	case d < 0 && h.ending == nil:
	case d <= 0:
		h.abandon(why)
	default:
		h.alone = time.AfterFunc(d, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if len(h.seats) == 0 {
				h.abandon(why)
			}
		})
	}
}

// abandon ends the program, which nobody wants any more. h.mu is locked.
func (h *hub) abandon(why Ending) {
	if h.over {
		return
	}
	h.finish()
	h.log.Cut()
	h.abandoned <- wire.Ending(why)
}

// finish says that nobody is told anything any more. h.mu is locked.
func (h *hub) finish() {
	if !h.over {
		h.over = true
		h.service.forget(h)
		close(h.done)
	}
}

// cause is why the links of a hub end whose log has ended.
func (h *hub) cause() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ending == nil:
		return errLost
	case h.exited:
		return programEnded{Ending(*h.ending)}
	}
	return Ending(*h.ending)
}

// setJob says what the run's program is; nil: it could not be started.
func (h *hub) setJob(j *job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.run.job = j
	if j == nil {
		close(h.run.ready)
	}
}

// input waits for the program, and returns it; nil if there is none to come.
func (h *hub) input(ctx context.Context) *job {
	h.mu.Lock()
	run := h.run
	h.mu.Unlock()
	select {
	case <-run.ready:
	case <-ctx.Done():
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.run.job
}

// count counts messages that the program has been given, unless the seat that
// they come from was taken over.
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
