package bridge

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/process/selfchild"
)

// pingsOften lets a dead client be noticed soon, and one that lives on a slow
// machine be left alone.
func pingsOften(s *scene) {
	s.h.Bounds.PingInterval = time.Second
	if selfchild.Race() {
		s.h.Bounds.PingInterval *= 2
	}
}

// lightEcho makes every child an echo that takes little time to start.
func lightEcho(s *scene) {
	if cat, err := exec.LookPath("cat"); err == nil {
		s.h.Command = []string{cat}
	}
}

// slowly reads some bytes one by one.
type slowly struct {
	io.Reader
	bytes int
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.bytes > 0 {
		s.bytes--
		time.Sleep(500 * time.Microsecond)
		p = p[:1]
	}
	return s.Reader.Read(p)
}

// openAndClose opens many sessions, which end in every way that a client has.
func openAndClose(s *scene) {
	n := 300
	if testing.Short() {
		n = 60
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range next {
				if err := s.openAndCloseOnce(i); err != nil {
					s.Error(i, err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

func (s *scene) openAndCloseOnce(i int) error {
	conn, err := net.Dial("tcp", s.srv.Listener.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(testLimit))
	request := handshakeFor(s.srv, "/?echo")
	how := i % 6
	if how == 0 {
		request = request[:len(request)/2]
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	if how < 2 {
		return nil // before there is an answer
	}
	answer := make([]byte, len("HTTP/1.1 101 "))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 101 " {
		return fmt.Errorf("%q, %v", answer, err)
	}
	switch how {
	case 2: // a reset: there is more to read
	case 3:
		conn.(*net.TCPConn).CloseWrite()
		_, err = io.ReadAll(conn)
	case 4:
		conn.Write(closing(1000, ""))
		_, err = io.ReadAll(conn)
	case 5:
		conn.Write(append(text("x"), closing(1000, "")...))
		_, err = io.ReadAll(conn)
	}
	return err
}

// What a tunnel does when its client has vanished: it takes what comes and
// passes nothing on, or it takes nothing more.
const (
	swallowing = iota
	stalling
)

// tunnel is a way to the server, over which a client can vanish without the
// server's system being told.
func (s *scene) tunnel(how int) (addr string, vanish func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	var wg sync.WaitGroup
	gone, end := make(chan struct{}), make(chan struct{})
	carry := func(to, from net.Conn) {
		defer to.Close()
		b := make([]byte, 4<<10)
		for {
			n, err := from.Read(b)
			select {
			case <-gone:
				if how == stalling {
					<-end
					return
				}
			default:
				to.Write(b[:n])
			}
			if err != nil {
				<-end
				return
			}
		}
	}
	wg.Go(func() {
		client, err := ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", s.srv.Listener.Addr().String())
		if err != nil {
			client.Close()
			return
		}
		wg.Go(func() { carry(client, server) })
		wg.Go(func() { carry(server, client) })
		<-end
		client.Close()
		server.Close()
	})
	s.deferred = append(s.deferred, func() {
		close(end)
		ln.Close()
		wg.Wait()
	})
	return ln.Addr().String(), func() { close(gone) }
}
