package bridge

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// input reads the WebSocket until it ends or the session wants no more, and
// feeds what it reads to the child.
func (s *session) input() {
	defer close(s.inputDone)
	err := s.receive()
	s.passOn()
	putLarge(s.batch)
	s.batch = nil
	// The end of the child's input is left to run, which knows the cause by
	// then: a child that exits for that is not itself the cause.
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
		s.end(Close{int(peer.Code), peer.Reason})
		s.conn.finish(lingerLimit)
	} else if s.conn.failed != nil {
		s.end(errLost)
		s.conn.cut()
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
	}
}

// readMessage appends a message to the batch, whole or not at all.
func (s *session) readMessage(typ websocket.MessageType, r io.Reader) error {
	s.reading = true
	defer func() { s.reading = false }()
	for {
		if len(s.batch) == cap(s.batch) {
			s.growBatch()
		}
		// The library fills what it is given before it returns: a message
		// over the limit shall not be waited for.
		most := min(cap(s.batch), s.complete+s.maxMessageSize+1)
		n, err := r.Read(s.batch[len(s.batch):most])
		s.batch = s.batch[:len(s.batch)+n]
		if len(s.batch)-s.complete > s.maxMessageSize {
			return errTooBig(s.maxMessageSize)
		}
		if errors.Is(err, io.EOF) {
			// The library tells the end of the connection between two
			// frames of a message no differently.
			if s.conn.failed != nil {
				return s.conn.failed
			}
			break
		}
		if err != nil {
			return err
		}
	}
	message := s.batch[s.complete:]
	if typ == websocket.MessageText && !utf8.Valid(message) {
		return errNotUTF8
	}
	s.in.messages++
	s.in.bytes += int64(len(message))
	if s.child == nil {
		s.lastMessage.Store(time.Now().UnixNano())
	}
	s.batch = s.framing.terminate(s.batch)
	s.complete = len(s.batch)
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
	putLarge(s.batch)
	s.batch = grown
}

// passOn feeds the complete messages of the batch. It is called in the
// middle of reading a message too, whose bytes must stay where they are.
func (s *session) passOn() {
	if s.passed < s.complete {
		s.feed.write(s.batch[s.passed:s.complete])
		s.passed = s.complete
	}
	if s.batch != nil && s.passed == len(s.batch) && !s.reading {
		putLarge(s.batch)
		s.batch, s.complete, s.passed = nil, 0, 0
	}
}

// A feed writes to a child's standard input in the order in which it is
// given. As long as the child keeps up, the giver writes; what the child does
// not take at once becomes the backlog, which a goroutine, the feeder,
// empties. The giver waits only while the backlog is full.
type feed struct {
	to    sink
	limit int // bytes of the backlog
	wg    *sync.WaitGroup

	mu       sync.Mutex
	room     sync.Cond // signalled when the backlog shrinks or nothing more is taken
	backlog  []byte
	underWay int           // bytes that the feeder is writing
	feeding  bool          // the feeder runs
	waiting  bool          // the giver waits for room
	closed   bool          // nothing more is given
	deaf     bool          // nothing more is taken
	done     chan struct{} // closed when all that was given is written, or nothing more is taken
}

// A sink is what a feed writes to. TryWrite writes what can be written
// without waiting.
type sink interface {
	TryWrite(p []byte) (int, error)
	Write(p []byte) (int, error)
	Close() error
}

func (f *feed) init(to sink, limit int, wg *sync.WaitGroup) {
	f.to, f.limit, f.wg = to, limit, wg
	f.room.L = &f.mu
	f.done = make(chan struct{})
}

// write takes p over; what nobody takes any more is dropped.
func (f *feed) write(p []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.feeding && !f.deaf && !f.closed {
		n, err := f.to.TryWrite(p)
		p = p[n:]
		f.deaf = err != nil
	}
	f.waiting = true
	for len(f.backlog)+f.underWay > 0 && len(f.backlog)+f.underWay+len(p) > f.limit && !f.deaf && !f.closed {
		f.room.Wait()
	}
	f.waiting = false
	if len(p) == 0 || f.deaf || f.closed {
		return
	}
	f.backlog = append(f.backlog, p...)
	if !f.feeding {
		f.feeding = true
		f.wg.Go(f.empty)
	}
}

// empty is the feeder: it writes the backlog until there is none.
func (f *feed) empty() {
	f.mu.Lock()
	defer f.mu.Unlock()
	var spare []byte
	for len(f.backlog) > 0 && !f.deaf {
		p := f.backlog
		f.backlog, f.underWay = spare[:0], len(p)
		f.mu.Unlock()
		_, err := f.to.Write(p)
		f.mu.Lock()
		spare, f.underWay = p, 0
		f.deaf = err != nil
		f.room.Broadcast()
	}
	f.backlog, f.feeding = nil, false
	if f.closed {
		f.close()
	}
}

// finish says that nothing more is given: the child's standard input ends
// when it has what was given before. It may be called more than once.
func (f *feed) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.closed = true
	f.room.Broadcast()
	if !f.feeding {
		f.close()
	}
}

func (f *feed) close() {
	f.to.Close()
	close(f.done)
}

// full reports whether the giver waits: while it does, the socket is not read.
func (f *feed) full() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting
}
