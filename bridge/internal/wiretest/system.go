package wiretest

import (
	"bytes"
	"io"
	"net"
	"sync"
)

// A System is the server's end of a connection whose peer's system takes some bytes
// for a program that may read them later, or never. What the program sends is not held
// up. When it finds the connection closed, that is a reset: what it has not read is lost.
type System struct {
	net.Conn // what comes from the program
	room     int

	mu     sync.Mutex
	moved  sync.Cond
	held   bytes.Buffer // taken and not read
	closed bool
}

// NewSystem returns a System that takes room bytes, and the program's end.
func NewSystem(room int) (s *System, program net.Conn) {
	theirs, ours := net.Pipe()
	s = &System{Conn: ours, room: room}
	s.moved.L = &s.mu
	return s, end{theirs, s}
}

// An end is that of the program.
type end struct {
	net.Conn
	system *System
}

func (e end) Read(p []byte) (int, error) {
	if n := copy(p, e.system.Take(len(p))); n > 0 {
		return n, nil
	}
	return 0, io.EOF
}

func (e end) Write(p []byte) (int, error) {
	n, err := e.Conn.Write(p)
	if err != nil {
		e.system.mu.Lock()
		defer e.system.mu.Unlock()
		e.system.held.Reset()
	}
	return n, err
}

func (s *System) Write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(p) > 0 {
		for s.held.Len() >= s.room && !s.closed {
			s.moved.Wait()
		}
		if s.closed {
			return n, net.ErrClosed
		}
		k := min(s.room-s.held.Len(), len(p))
		s.held.Write(p[:k])
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
	for s.held.Len() == 0 && !s.closed {
		s.moved.Wait()
	}
	p := bytes.Clone(s.held.Next(n))
	s.moved.Broadcast()
	return p
}

// Held is how many bytes the program has not read.
func (s *System) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held.Len()
}

func (s *System) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.moved.Broadcast()
	return s.Conn.Close()
}
