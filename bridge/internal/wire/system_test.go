package wire

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A system is a server's connection whose peer's system takes some bytes for a
// program that may read them later, or never. What the program sends is not
// held up.
type system struct {
	net.Conn // what comes from the program
	room     int

	mu     sync.Mutex
	moved  sync.Cond
	held   []byte // taken and not read
	closed bool
}

// newSystem returns a Conn, and the client's system and program.
func newSystem(t testing.TB, room int, o Options) (*Conn, *program) {
	t.Helper()
	theirs, ours := net.Pipe()
	s := &system{Conn: ours, room: room}
	s.moved.L = &s.mu
	return accepted(t, o, s, nil), &program{system: s, to: theirs, t: t}
}

func (s *system) Write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(p) > 0 {
		for len(s.held) >= s.room && !s.closed {
			s.moved.Wait()
		}
		if s.closed {
			return n, net.ErrClosed
		}
		k := min(s.room-len(s.held), len(p))
		s.held = append(s.held, p[:k]...)
		p, n = p[k:], n+k
		s.moved.Broadcast()
	}
	return n, nil
}

func (s *system) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.moved.Broadcast()
	return s.Conn.Close()
}

// A program is the client behind a system.
type program struct {
	*system
	to       net.Conn
	t        testing.TB
	got      []byte // of a frame that has not come whole
	messages int    // that it has read
	mute     bool   // it answers no pings
	wg       sync.WaitGroup
}

// read reads up to n bytes as soon as there are any, and reports whether the
// connection is still there.
func (p *program) read(n int) bool {
	p.mu.Lock()
	for len(p.held) == 0 && !p.closed {
		p.moved.Wait()
	}
	n = min(n, len(p.held))
	p.got = append(p.got, p.held[:n]...)
	p.held = append(p.held[:0], p.held[n:]...)
	open := n > 0
	p.moved.Broadcast()
	p.mu.Unlock()
	for p.answer() {
	}
	return open
}

// answer takes a whole frame, if there is one.
func (p *program) answer() bool {
	f, rest, err := cutFrame(p.got)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return false
	}
	p.got = bytes.Clone(rest)
	switch f.first {
	case finBit | opPing:
		if !p.mute {
			_, _ = p.to.Write(masked(finBit|opPong, string(f.payload)))
		}
	case finBit | opText:
		p.messages++
	case finBit | opClose:
		_, _ = p.to.Write(masked(finBit|opClose, string(f.payload)))
	default:
		p.t.Errorf("a frame begins with %#x", f.first)
	}
	return true
}

// reads reads n bytes each time, until the connection ends.
func (p *program) reads(n int, each time.Duration) {
	p.wg.Go(func() {
		for p.read(n) {
			time.Sleep(each)
		}
	})
}
