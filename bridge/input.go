package bridge

import (
	"context"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// input reads the WebSocket until it ends or the session wants no more, and
// feeds what it reads to the child. It leaves it to run to end the child's
// input, which may end the child: the cause must be known before.
func (s *session) input() {
	defer close(s.inputDone)
	s.inputEnds(s.receive())
}

// inputEnds is what comes when there is no more to receive, and why.
func (s *session) inputEnds(err error) {
	s.feed.waitNoMore() // a close frame has been answered: the end shall not wait for the child
	s.passOn()
	putBuffer(s.batch)
	s.batch = nil
	s.received(err)
}

// received makes the end of the WebSocket the cause of the session's, unless
// it was the session that wanted no more.
func (s *session) received(err error) {
	if errors.Is(err, errStopped) {
		return
	}
	if own, ok := errors.AsType[Close](err); ok {
		s.end(own) // run closes with it
		return
	}
	// The peer answers nothing more, and this is the reader's place: the
	// connection ends here, while run ends the child.
	s.over = true
	if peer, ok := errors.AsType[websocket.CloseError](err); ok {
		cause := Close{int(peer.Code), peer.Reason}
		if !utf8.ValidString(peer.Reason) {
			cause = errReasonNotUTF8 // so conn has answered
		}
		s.end(cause)
		s.conn.finish(lingerLimit)
	} else if s.conn.failed != nil {
		s.end(errLost)
		s.conn.cut()
		s.conn.finish(0)
	} else {
		violation := errProtocol(err)
		s.sendClose(violation) // the library has, for most violations
		s.end(violation)
		s.conn.finish(lingerLimit)
	}
}

// receive reads messages until there are no more. Those that came together
// are fed together: conn calls passOn before it waits for more.
func (s *session) receive() error {
	for {
		if s.receiveWhole() {
			return errStopped
		}
		if err := s.receiveNext(); err != nil {
			return err
		}
	}
}

// receiveNext appends the next message to the batch, whatever it is like.
func (s *session) receiveNext() error {
	typ, r, err := s.ws.Reader(context.Background())
	if err != nil {
		return err
	}
	if s.batch == nil {
		s.batch = getLarge()
	}
	if err := s.readMessage(typ, r); err != nil {
		return err
	}
	if len(s.batch) >= largeBuffer {
		s.passOn()
	}
	return nil
}

// readMessage appends a message to the batch, whole or not at all. Text that
// is not UTF-8 is found at the end of the fragment that makes it so.
func (s *session) readMessage(typ websocket.MessageType, r io.Reader) error {
	s.reading = true
	defer func() { s.reading = false }()
	if s.conn.compressed {
		inflater := newInflater(r)
		defer inflater.put()
		r = inflater
	}
	valid := 0 // bytes of the message that are known to be UTF-8
	for {
		if len(s.batch) == cap(s.batch) {
			s.growBatch()
		}
		// The library fills what it is given before it returns: a message
		// over the limit shall not be waited for.
		room := s.batch[len(s.batch):cap(s.batch)]
		if left := s.maxMessageSize - (len(s.batch) - s.complete); left < len(room) {
			room = room[:left+1]
		}
		n, err := r.Read(room)
		s.batch = s.batch[:len(s.batch)+n]
		if len(s.batch)-s.complete > s.maxMessageSize {
			return errTooBig(s.maxMessageSize)
		}
		if errors.Is(err, io.EOF) && s.conn.failed != nil {
			// The library tells the end of the connection between two
			// frames of a message no differently.
			return s.conn.failed
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if typ == websocket.MessageText {
			unchecked := s.batch[s.complete+valid:]
			runes := unchecked[:len(unchecked)-partialRune(unchecked)]
			if !utf8.Valid(runes) {
				return errNotUTF8
			}
			valid += len(runes)
		}
		if err != nil {
			break
		}
	}
	message := s.batch[s.complete:]
	if typ == websocket.MessageText && valid < len(message) {
		return errNotUTF8 // it ends in the middle of a rune
	}
	s.took(message)
	return nil
}

func (s *session) growBatch() {
	if s.passed > 0 {
		// What was passed on while this message came in makes room.
		n := copy(s.batch, s.batch[s.passed:])
		s.batch, s.complete, s.passed = s.batch[:n], s.complete-s.passed, 0
		return
	}
	grown := make([]byte, len(s.batch), 2*cap(s.batch))
	copy(grown, s.batch)
	putBuffer(s.batch)
	s.batch = grown
}

// passOn feeds the complete messages of the batch. It is called in the
// middle of reading a message too, whose bytes must stay where they are.
func (s *session) passOn() {
	if s.passed < s.complete {
		s.lastHeard.Store(busy)
		s.feed.write(s.batch[s.passed:s.complete])
		s.passed = s.complete
		s.noteHeard()
	}
	if s.batch != nil && s.passed == len(s.batch) && !s.reading {
		putBuffer(s.batch)
		s.batch, s.complete, s.passed = nil, 0, 0
	}
}

// busy is lastHeard while messages wait to be fed.
const busy = -1

// noteHeard is for listenOn: something has come that is for the other end.
func (s *session) noteHeard() {
	if s.child == nil {
		s.lastHeard.Store(time.Now().UnixNano())
	}
}
