package wiretest

import (
	"net"
	"sync"
)

// A System is the server's end of a connection whose peer's system takes some bytes
// for a program that may read them later, or never. What the program sends is not held
// up.
type System struct {
	net.Conn // what comes from the program
	room     int

	mu     sync.Mutex
	moved  sync.Cond
	held   []byte // taken and not read
	closed bool
}

// NewSystem returns a System that takes room bytes, and what the program writes to.
func NewSystem(room int) (s *System, program net.Conn) {
	program, ours := net.Pipe()
	s = &System{Conn: ours, room: room}
	s.moved.L = &s.mu
	return s, program
}

func (s *System) Write(p []byte) (n int, err error) {
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

// Take gives the program up to n bytes as soon as there are any; none when the
// connection is closed and there is nothing left.
func (s *System) Take(n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.held) == 0 && !s.closed {
		s.moved.Wait()
	}
	n = min(n, len(s.held))
	p := append([]byte(nil), s.held[:n]...)
	s.held = append(s.held[:0], s.held[n:]...)
	s.moved.Broadcast()
	return p
}

// Held is how many bytes the program has not read.
func (s *System) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held)
}

func (s *System) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.moved.Broadcast()
	return s.Conn.Close()
}
