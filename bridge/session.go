package bridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// A session joins a WebSocket and a far end, and is the only one that ends
// either. The first cause to end wins. See the package's documentation for its
// goroutines.
type session struct {
	// Static after construction.
	link     link
	far      farEnd
	pings    bool            // they find out whether the client lives
	keeps    bool            // a client that is away may come back for the rest, when its time is over
	draining context.Context // done when the server wants to stop
	killed   context.Context // done when it wants that at once

	// ctx ends with the first cause why the session shall end.
	ctx context.Context
	end context.CancelCauseFunc

	wg         sync.WaitGroup // input, output
	inputDone  chan struct{}
	outputDone outputEnd

	life  lifetime
	idle  idleness
	quiet quietness
	offer offer
}

// run is the session. It starts everybody, waits for the first cause to end, and
// then ends the far end, delivers what is left of its output, closes the
// WebSocket and waits until everybody is gone.
func (s *session) run() (Ending, process.State) {
	s.inputDone, s.outputDone.c = make(chan struct{}), make(chan struct{})
	s.startTimeouts()
	s.far.inbox().refused = s.end
	s.wg.Go(s.input)
	s.wg.Go(s.output)
	s.link.Watch(func(lost wire.Ending) { s.end(Ending(lost)) })
	s.end(s.far.wait(s.ctx))
	s.offer.end(s.idle.began)
	return s.conclude(context.Cause(s.ctx))
}

// input gives the far end what the client sends, until the WebSocket ends. It
// leaves it to run to end the far end's input, which may end a program: the
// cause must be known before.
func (s *session) input() {
	s.received(s.link.Receive(s.far.inbox()))
	close(s.inputDone)
}

// received ends the session for how the WebSocket has ended, unless that was only
// asked to stop.
func (s *session) received(err error) {
	in := s.far.inbox()
	s.far.hurry(err) // give the rest without waiting for room
	in.end()
	if lost, ok := errors.AsType[wire.Ending](err); ok {
		s.end(Ending(lost))
		if context.Cause(s.ctx) != error(Ending(lost)) {
			s.link.Respond() // it ends already: there is nothing more to wait for
		}
	}
	s.link.Leave() // while run ends the far end
}

// output sends the client what the far end says, until there is no more or
// nobody who takes it.
func (s *session) output() {
	cause := s.far.pump(s.ctx, s, s.link.NewBatch())
	if cause != nil {
		s.end(cause)
		s.far.lastWord()
	}
	s.outputDone.cause = cause
	close(s.outputDone.c)
}

// Send is the outlet of the far end.
func (s *session) Send(b *wire.Batch) error {
	if s.idle.limit == 0 {
		return s.link.Send(b)
	}
	s.idle.sending.Store(true)
	defer s.idle.sent()
	return s.link.Send(b)
}

// hearOut closes, and takes what still comes until the peer has answered: its program
// may have waited for the end of its input.
func (s *session) hearOut() {
	if !s.link.Say(wire.Ending{Code: codeNormal}) {
		return
	}
	late := time.AfterFunc(closeLimit, s.link.Cut)
	defer late.Stop()
	defer context.AfterFunc(s.draining, func() { late.Reset(drainLimit) })()
	<-s.inputDone
}

// conclude ends the session for its cause.
func (s *session) conclude(cause error) (Ending, process.State) {
	defer context.AfterFunc(s.killed, s.link.Cut)()
	defer s.stopTimeouts()
	if verdict, ok := errors.AsType[Ending](cause); ok && verdict.Code != codeAbnormal {
		s.link.Answer(wire.Ending(verdict)) // what the client still sends is dropped
	}
	if errors.Is(cause, errInputDone) {
		s.hearOut()
	}
	s.far.closeInput()
	state := s.far.end(cause, s.draining, s.killed)
	s.awaitOutput(cause)
	if broken, ok := s.outputDone.broken(cause); ok {
		cause = broken
		s.link.Answer(wire.Ending(broken))
	}
	if errors.Is(cause, errChildDone) {
		s.awaitClient()
	}
	s.link.Stop()
	// Over TLS a reader may be writing: the key update that its peer has asked
	// for (RFC 8446, section 4.6.3).
	late := time.AfterFunc(closeLimit, s.link.Cut)
	<-s.inputDone
	late.Stop()
	defer context.AfterFunc(s.draining, func() { late.Reset(drainLimit) })() // also during the handshake
	ending := s.link.Close(wire.Ending(endingFor(cause, state)), closeLimit)
	late.Stop()
	s.wg.Wait()
	s.far.release()
	return Ending(ending), state
}
