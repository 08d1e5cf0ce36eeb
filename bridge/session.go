package bridge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/wsbridge/wsbridge/process"
)

// A session is one WebSocket and the process at its other end, from the
// upgrade until nothing is left of either. See the package's documentation
// for its goroutines.
type session struct {
	// Static after construction.
	ws             *websocket.Conn
	conn           *conn
	child          *process.Process // nil: source and feed are our own streams
	source         io.Reader        // what becomes messages
	waits          syscall.Conn     // source, if it tells when there is something to read; else nil
	framing        Framing
	passStderr     bool   // stderr goes to the client too
	compress       bool   // asked for, and after the handshake: agreed
	subprotocol    string // chosen by the server; empty: none
	maxMessageSize int
	pingInterval   time.Duration // below zero: none
	linger         time.Duration
	log            *slog.Logger
	generation     *generation     // nil without a Handler
	draining       context.Context // done when the server wants to stop
	killed         context.Context // done when it wants that at once
	outputDone     chan struct{}
	inputDone      chan struct{}
	pongs          chan bool // whether a pong answers the ping of awaitClient; holds one

	// ctx ends with the first cause why the session shall end.
	ctx context.Context
	end context.CancelCauseFunc

	wg   sync.WaitGroup // input, output, feeder, stderr
	feed feed

	// Owned by input, and by run when input is done.
	batch    []byte // messages as the child reads them
	passed   int    // bytes of batch that were fed
	complete int    // bytes of batch that are whole messages
	reading  bool   // a message is being read into batch
	over     bool   // the WebSocket has ended
	in       traffic

	out       traffic      // owned by output, and by run when output is done
	wide      bool         // owned by output: the pipe holds more than most
	lastHeard atomic.Int64 // when the last of a message came, in ns since 1970, or busy; without a child only

	life   lifetime
	idle   idleness
	pings  pings
	asking atomic.Bool // pings ask how far the client has read
}

// traffic counts what went one way.
type traffic struct{ messages, bytes int64 }

// run is the session. It starts everybody, waits for the first cause to end,
// and then ends the child, delivers what is left of its output, closes the
// WebSocket and waits until everybody is gone.
func (s *session) run() (Close, process.State) {
	s.begin()
	cause := s.awaitCause()
	return s.finish(cause)
}

// begin starts everybody.
func (s *session) begin() {
	s.startTimeouts()
	s.wg.Go(s.input)
	if s.child != nil {
		if !s.passStderr {
			s.child.Stderr.WhenReadable(func() { s.wg.Go(s.stderr) })
		}
		s.wg.Go(s.output)
	} else {
		go s.output() // a read of our own input may never return
	}
	s.startPings()
}

// awaitCause waits until there is a cause to end.
func (s *session) awaitCause() error {
	if s.child == nil {
		<-s.ctx.Done()
	} else if s.child.Wait(s.ctx) == nil {
		s.end(errChildDone)
	}
	return context.Cause(s.ctx)
}

// finish ends the session for its cause.
func (s *session) finish(cause error) (Close, process.State) {
	growStack()
	defer context.AfterFunc(s.killed, s.conn.cut)()
	defer s.stopTimeouts()
	s.feed.finish()
	var state process.State
	if s.child != nil {
		state = s.child.End(s.killed)
		s.awaitOutput(cause)
		if errors.Is(cause, errChildDone) {
			s.awaitClient()
		}
	} else {
		s.awaitFeed()
	}
	ending := s.close(cause, state)
	s.wg.Wait()
	if s.child != nil {
		s.child.Close()
	}
	return ending, state
}

// growStack has the goroutine's stack grow at once for a deep call to come,
// from a place where there is little on it: left to itself it doubles, each
// time under way, and all frames there are adjusted to the new place.
//
//go:noinline
func growStack() {
	var room [7 << 10]byte
	runtime.KeepAlive(&room)
}

// How long the end of a session waits for a client that does not read.
const (
	drainLimit = 2 * time.Second  // when the server drains
	stallLimit = 60 * time.Second // without progress, when no pings tell whether it lives
)

// awaitOutput waits until the client has what the child wrote before its end.
func (s *session) awaitOutput(cause error) {
	var limit time.Duration
	switch {
	case errors.Is(cause, errChildDone) && s.pingInterval > 0:
		// The pings cut the connection when the client is dead.
	case errors.Is(cause, errChildDone):
		limit = stallLimit
	case errors.Is(cause, errShutdown):
		limit = drainLimit
	default:
		limit = closeLimit
	}
	draining, inputDone := s.draining.Done(), s.inputDone
	var timer *time.Timer
	var expired <-chan time.Time
	if limit > 0 {
		timer = time.NewTimer(limit)
		defer timer.Stop()
		expired = timer.C
	}
	written := s.conn.written.Load()
	for {
		select {
		case <-s.outputDone:
			return
		case <-draining:
			draining = nil
			expired = time.After(drainLimit)
			limit = drainLimit
		case <-inputDone:
			// Nobody reads pongs any more, so that no ping can tell.
			inputDone = nil
			if limit == 0 || limit > closeLimit {
				expired = time.After(closeLimit)
				limit = closeLimit
			}
		case <-expired:
			now := s.conn.written.Load()
			if limit != stallLimit || now == written {
				s.conn.cut()
				<-s.outputDone
				return
			}
			written = now
			timer.Reset(limit)
		}
	}
}

// tailPing is the payload of the ping that asks how far a client has read.
const tailPing = "tail"

// awaitClient waits until a client that got much has read it: megabytes may
// be in the buffers between, and the close handshake will not wait for them.
// The client answers a ping when it has read what was before it; from now on
// all pings ask, because it may answer the latest only.
func (s *session) awaitClient() {
	s.asking.Store(true)
	if s.conn.written.Load() <= largeBuffer || s.conn.control(appendFrame(nil, finBit|opPing, []byte(tailPing), s.conn.masked)) != nil {
		return
	}
	limit := closeLimit // a client that is not pinged may have its reasons
	if s.pingInterval > 0 {
		limit = 2 * s.pingInterval
	}
	draining := s.draining.Done()
	for silence := time.After(limit); ; {
		select {
		case answered := <-s.pongs:
			if answered {
				return
			}
			if draining != nil && s.pingInterval > 0 {
				silence = time.After(limit) // an answer to an earlier ping: it reads on
			}
		case <-silence:
			return
		case <-s.inputDone:
			return
		case <-draining:
			draining = nil
			silence = time.After(drainLimit)
		}
	}
}

// awaitFeed waits until what came is written to our own output, which may be
// blocked when we are asked to end.
func (s *session) awaitFeed() {
	select {
	case <-s.feed.done:
		return
	case <-s.draining.Done():
	}
	select {
	case <-s.feed.done:
	case <-time.After(drainLimit):
	}
}

// close ends the WebSocket, unless it has ended already, with the code for
// the cause. The library's Close reads in this goroutine, so input must have
// left the socket.
func (s *session) close(cause error, state process.State) Close {
	s.conn.stop()
	// Over TLS a reader may be writing: the key update that its peer has
	// asked for (RFC 8446, section 4.6.3).
	late := time.AfterFunc(closeLimit, s.conn.cut)
	<-s.inputDone
	late.Stop()
	s.pings.stop()
	ending, ok := errors.AsType[Close](cause)
	if local, failed := errors.AsType[*localError](cause); failed {
		ending = local.close()
	} else if !ok {
		ending = closeOf(state)
	}
	if !s.over {
		s.conn.resume()
		s.closeHandshake(ending)
	}
	_ = s.ws.CloseNow() // lets go of the library's finalizer
	return ending
}

// closeHandshake closes the WebSocket in the reader's place.
func (s *session) closeHandshake(c Close) {
	if c.Code == int(websocket.StatusAbnormalClosure) {
		s.conn.cut() // the code says that there was no close frame
		s.conn.finish(0)
		return
	}
	limit := closeLimit
	if s.draining.Err() != nil {
		limit = drainLimit
	}
	defer time.AfterFunc(limit, s.conn.cut).Stop()
	if !s.conn.frames.between() {
		// The library has lost its place in the stream of a peer that is in
		// the middle of a frame. The answer is discarded with the rest.
		s.sendClose(c)
		s.conn.finish(limit)
		return
	}
	linger := lingerLimit
	err := s.ws.Close(websocket.StatusCode(c.Code), shortened(c.Reason))
	if _, other := errors.AsType[websocket.CloseError](err); (err == nil || other) && !isTLS(s.conn.Conn) {
		linger = 0 // the peer has closed too, with whatever code, and has no close_notify to send
	}
	s.conn.finish(linger)
}

// sendClose sends a close frame without the library, which has none for some
// violations and waits for an answer after others.
func (s *session) sendClose(c Close) {
	_ = s.conn.control(closeFrame(c, s.conn.masked))
}
