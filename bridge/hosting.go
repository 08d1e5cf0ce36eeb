package bridge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A Hosting says which connections a program serves: one (nil), those of one client
// that may come back (Resume), or those of all clients (Share).
type Hosting interface {
	// steps are those of the admission.
	steps() []admitStep

	// open makes the handshake for an admitted request and starts its session.
	open(h *Handler, w http.ResponseWriter, a *admission)
}

// single is the Hosting that nil stands for.
type single struct{}

func (single) steps() []admitStep                                   { return toSession }
func (single) open(h *Handler, w http.ResponseWriter, a *admission) { h.open(w, a) }

func (h *Handler) hosting() Hosting {
	if h.Hosting == nil {
		return single{}
	}
	return h.Hosting
}

// A visit is which hub a request wants, and from where on.
type visit struct {
	key      hubKey
	name     string // of the session that the client continues; empty: of none
	received int64  // the number of the last message that the client has; -1 if it does not say
	hub      *hub   // nil if there is none yet
	number   int64  // of the visit, in the order in which requests came
	only     bool   // the client only continues, and starts no program

	steps   []admitStep              // that take a place for a program
	environ func(id string) []string // of the program, if this request starts it
}

// A hubKey is a digest of what identifies a hub. Comparing digests takes the same
// time for a good guess at a client's key as for a bad one.
type hubKey [sha256.Size]byte

func newHubKey(parts ...string) hubKey {
	d := sha256.New()
	for _, p := range parts {
		_ = binary.Write(d, binary.BigEndian, uint64(len(p)))
		d.Write([]byte(p))
	}
	return hubKey(d.Sum(nil))
}

// found finds the hub of a key, if there is one.
func (s *service) found(key hubKey) *hub {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hubs[key]
}

// hubFor returns the hub of a key. If there is none it creates one, and first is true.
func (s *service) hubFor(key hubKey, create func() *hub) (h *hub, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hubs[key]; h != nil {
		return h, false
	}
	if s.hubs == nil {
		s.hubs = make(map[hubKey]*hub)
	}
	s.hubs[key] = create()
	return s.hubs[key], true
}

// forget removes a hub that is over.
func (s *service) forget(h *hub) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hubs[h.key] == h {
		delete(s.hubs, h.key)
	}
}

// join makes the handshake and gives the connection a seat at its hub, which it
// creates if the request is the first.
func (v *visit) join(h *Handler, w http.ResponseWriter, a *admission, o wire.Options, create func() *hub) {
	info := a.info()
	conn, err := wire.Accept(w, a.request, o)
	if err != nil {
		h.emit(HandshakeFailed{*info, err})
		a.place.free()
		a.seat.free()
		return
	}
	leave := a.seat.free
	if a.seat == nil {
		if !h.service().enter() {
			a.place.free()
			go h.turnAway(conn, info, errShutdown, func() {})
			return
		}
		leave = h.service().leave
	}
	sess, first, err := v.sit(h, a, conn, create)
	if v.hub != nil {
		info.ID = v.hub.id
	}
	if first { // for others too, if they were faster to get a seat
		a.place.begin()
		h.emit(Opened{*info})
		go h.host(v.hub, a, v.hub.clients.owner(*info))
	}
	if end, ok := err.(Ending); ok {
		go h.turnAway(conn, info, end, leave)
		return
	}
	go h.serve(sess, info, leave)
}

// sit gives a connection a seat at the hub that it wants, or at a new one. Whoever
// comes while a program ends gets the next one.
func (v *visit) sit(h *Handler, a *admission, conn *wire.Conn, create func() *hub) (sess *session, first bool, err error) {
	for {
		if first, err = v.find(h, a, create); err != nil {
			return nil, false, err
		}
		s := v.hub.newSeat(conn, h.Framing)
		s.hello, s.visit = conn.Subprotocol() == countingProtocol, v.number
		from, resumed := v.hub.clients.from(v, first)
		s.resumed = resumed
		sess = h.newSession(context.Background(), conn, s) // the hub ends it
		sess.offer.names = a.unanswered()
		s.ctx, s.stop = sess.ctx, sess.end
		s.giver.stop = s.ctx.Done()
		v.hub.clients.visitor(sess)
		if err = v.attach(s, from); err == nil {
			return sess, first, nil
		}
		sess.end(nil)
		if err != error(errNoSession) || v.only {
			return nil, first, err
		}
		v.hub = nil
	}
}

// attach adds a seat to the hub. A newer connection that keeps it out may have been lost
// already: that is noticed a little later than the next request of its client.
func (v *visit) attach(s *seat, from int64) error {
	for began := time.Now(); ; time.Sleep(goneInterval) {
		err := v.hub.attach(s, from)
		if err != error(errTakenOver) || time.Since(began) >= noticeLimit {
			return err
		}
	}
}

// find has v.hub be there: it may have to be made, which takes a place.
func (v *visit) find(h *Handler, a *admission, create func() *hub) (first bool, err error) {
	if v.hub != nil {
		return false, nil
	}
	if v.only {
		return false, errNoSession
	}
	if a.place == nil { // there was a hub when the request came
		if refused := a.pass(v.steps); refused != nil {
			return false, refused.ending()
		}
	}
	if v.hub, first = h.service().hubFor(v.key, create); !first {
		a.place.free() // somebody was faster
		a.place = nil
	}
	return first, nil
}

// turnAway closes a connection that gets no seat.
func (h *Handler) turnAway(conn *wire.Conn, info *Info, end Ending, leave func()) {
	defer leave()
	stop := context.AfterFunc(h.service().killed, conn.Cut)
	defer stop()
	ending := conn.Close(wire.Ending(end), drainLimit)
	h.emit(TurnedAway{*info, Ending(ending)})
}

// serve runs a client's session, from its seat at the hub until it has left.
func (h *Handler) serve(sess *session, info *Info, leave func()) {
	defer leave()
	s := sess.far.(*seat)
	h.emit(Attached{*info, s.resumed})
	begin := time.Now()
	ending, _ := sess.run()
	cause := context.Cause(sess.ctx)
	s.hub.leave(s, cause, s.conn.Answered())
	info.In, info.Out = Traffic(s.conn.Received()), Traffic(s.conn.Sent())
	h.tellUnanswered(sess, info, ending)
	h.emit(Detached{*info, ending, time.Since(begin)})
}

// host runs the program of a hub, and starts it again if the hub restarts it.
func (h *Handler) host(hub *hub, a *admission, info Info) {
	defer a.place.free()
	var wait time.Duration
	for again := true; again; {
		begin := time.Now()
		h.hostRun(hub, a, info, wait > 0)
		wait = nextRestart(wait, time.Since(begin))
		again = hub.restarts(a.ctx, wait)
	}
}

// hostRun is one run of the program. If the first run cannot be started, clients are
// told; a later one is tried again.
func (h *Handler) hostRun(hub *hub, a *admission, info Info, again bool) {
	child, err := a.start(a.visit.environ(hub.id))
	if err != nil {
		h.emit(NotStarted{Info: info, Command: a.program.command, Err: err})
		if !again {
			a.place.programGone()
			hub.notStarted(notStarted(err))
			h.emit(Closed{Info: info, Ending: notStarted(err)})
		}
		return
	}
	info.Pid = child.Pid()
	h.emit(Started{info})
	j := newJob(child, h.Framing, h.Bounds.backlog(), nil, h.voicesOf(&info))
	if hub.options.restart {
		j.ended = nil // clients go on, and are not told the end of one run
	}
	hub.setJob(j)
	sess := h.newSession(a.ctx, hub, hosted{j, hub, a.place})
	sess.pings = true // each client's own link pings
	hub.clients.program(sess, j)
	sess.quiet.tell = h.silent(&info)
	begin := time.Now()
	ending, state := sess.run()
	h.closed(sess, &info, ending, state, time.Since(begin))
}

// greeting is the hello, the first message to a client that counts.
type greeting struct {
	Session  string `json:"session"`
	Resumed  bool   `json:"resumed"`
	Received int64  `json:"received"`
	Next     int64  `json:"next"`
}

// greet sends the hello.
func (s *seat) greet(out outlet, b *wire.Batch) error {
	text, err := json.Marshal(struct {
		greeting
		ReadOnly bool `json:"readonly,omitempty"`
	}{greeting{s.hub.name, s.resumed, s.received, s.cursor.Number() + 1}, s.isReadOnly()})
	if err != nil {
		return err
	}
	b.Begin(wire.GetLarge)
	defer b.End()
	b.Append(wire.Text, text, true)
	return out.Send(b)
}

// newID returns an ID for a session.
func newID() string { return rand.Text()[:12] }
