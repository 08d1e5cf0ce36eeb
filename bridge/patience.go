package bridge

import (
	"errors"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// How long the end of a session waits for a client.
const (
	drainLimit = 2 * time.Second // when the server drains
	closeLimit = 5 * time.Second // when nothing depends on it any more, and for the close handshake

	// answerLimit is for a program to say something at the end of its input, before a
	// client gives up that waits for the answer to its close frame for as long as we do.
	answerLimit = closeLimit - time.Second

	stallLimit = 60 * time.Second // without progress, when no pings tell whether it lives

	// unpingedLimit is for a client to answer the only ping that it gets: as long
	// as its system may take to make progress when it reads 8 KB a second.
	unpingedLimit = 10 * time.Second
)

// muchUnread is how much a client may not have read when the close handshake
// begins. So little the buffers of any system hold, so that it arrives, and the
// close frame behind it, however slowly the client reads.
const muchUnread = wire.LargeBuffer

// A patience is how long the end of a session still waits for the client to take
// what there is for it.
type patience struct {
	session  *session
	limit    time.Duration // zero: pings tell when the client is dead
	progress func() int64  // as long as it changes, the limit begins anew; nil: it does not
}

// awaitOutput waits until the client has what the far end said before its end.
func (s *session) awaitOutput(cause error) {
	p := patience{session: s, limit: closeLimit}
	ending, _ := errors.AsType[Ending](cause)
	all := errors.Is(cause, errChildDone) || s.keeps && isTimeUp(ending)
	switch {
	case all && s.pings:
		p.limit = 0
	case all:
		p.limit, p.progress = stallLimit, s.link.Reached
	case errors.Is(cause, errShutdown), isRestart(cause):
		p.limit = drainLimit
	}
	if !p.await(s.outputDone.c, nil) {
		s.link.Cut()
		<-s.outputDone.c
	}
}

// isRestart reports whether the cause is Handler.Restart.
func isRestart(cause error) bool {
	ending, ok := errors.AsType[Ending](cause)
	return ok && ending.Code == codeServiceRestart
}

// awaitClient waits until a client that got much has read it: megabytes may be in
// the buffers between, and the close handshake will not wait for them. The client
// answers a ping when it has read what was before it.
func (s *session) awaitClient() {
	if s.link.Unread() <= muchUnread || !s.link.Ask() {
		return
	}
	p := patience{session: s}
	if !s.pings { // it may have its reasons
		p.limit, p.progress = unpingedLimit, s.link.Reached
	}
	p.await(s.link.Silent(), func() bool { return s.link.Unread() == 0 })
}

// await waits for done, or for enough to be true, which pongs may make it. It
// reports whether that came within its limit. When the server drains, and when
// nobody reads pongs any more, the limit is a short one.
func (p *patience) await(done <-chan struct{}, enough func() bool) bool {
	draining, unheard := p.session.draining.Done(), p.session.inputDone
	var expired <-chan time.Time
	begin := func(limit time.Duration) { p.limit, expired = limit, time.After(limit) }
	if p.limit > 0 {
		begin(p.limit)
	}
	var before int64
	if p.progress != nil {
		before = p.progress()
	}
	var pongs <-chan struct{}
	if enough != nil {
		pongs = p.session.link.Pongs()
	}
	for {
		select {
		case <-done:
			return true
		case <-pongs:
			if enough() {
				return true
			}
		case <-draining:
			draining, p.progress = nil, nil
			begin(drainLimit)
		case <-unheard:
			if enough != nil {
				return false // no pong will come
			}
			unheard = nil
			if p.limit == 0 || p.limit > closeLimit {
				p.progress = nil
				begin(closeLimit)
			}
		case <-expired:
			if p.progress == nil || p.progress() == before {
				return false
			}
			before = p.progress()
			begin(p.limit)
		}
	}
}
