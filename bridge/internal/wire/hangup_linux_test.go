package wire

import (
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come; no test waits for it
// to pass.
const patience = 20 * time.Second

// socketPair returns both ends of a connection over a network.
func socketPair(t *testing.T, network string) (ours, theirs net.Conn) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "socket")
	}
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	theirs, err = net.Dial(network, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	ours, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	return ours, theirs
}

// ask calls f with a connection's descriptor.
func ask(t *testing.T, nc net.Conn, f func(fd uintptr)) {
	t.Helper()
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(f); err != nil {
		t.Fatal(err)
	}
}

func isHungUp(t *testing.T, nc net.Conn) (is bool) {
	t.Helper()
	ask(t, nc, func(fd uintptr) { is = hungUp(fd) })
	return is
}

func isUnacked(t *testing.T, nc net.Conn) (n int) {
	t.Helper()
	ok := false
	ask(t, nc, func(fd uintptr) { n, ok = unacked(fd) })
	if !ok {
		t.Fatal("the system cannot tell")
	}
	return n
}

// becomes waits for a condition.
func becomes(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestHungUp(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, test := range []struct {
			name string
			act  func(ours, theirs net.Conn)
			want bool
		}{
			{"silent", func(ours, theirs net.Conn) {}, false},
			{"unread data", func(ours, theirs net.Conn) { theirs.Write(make([]byte, 1000)) }, false},
			{"a peer that does not read", func(ours, theirs net.Conn) { ours.Write(make([]byte, 1000)) }, false},
			{"a half-close", func(ours, theirs net.Conn) { theirs.(halfCloser).CloseWrite() }, true},
			{"a half-close of ours", func(ours, theirs net.Conn) { ours.(halfCloser).CloseWrite() }, false},
			{"the end", func(ours, theirs net.Conn) { theirs.Close() }, true},
			{"the end behind unread data", func(ours, theirs net.Conn) {
				theirs.Write(make([]byte, 1000))
				theirs.Close()
			}, true},
			{"a reset behind unread data", func(ours, theirs net.Conn) {
				theirs.Write(make([]byte, 1000))
				if tcp, ok := theirs.(*net.TCPConn); ok {
					tcp.SetLinger(0)
				}
				theirs.Close()
			}, true},
			{"a reset by what it did not read", func(ours, theirs net.Conn) {
				ours.Write(make([]byte, 1000))
				theirs.Close()
			}, true},
		} {
			t.Run(network+" "+test.name, func(t *testing.T) {
				ours, theirs := socketPair(t, network)
				if isHungUp(t, ours) {
					t.Fatal("hung up from the beginning")
				}
				test.act(ours, theirs)
				if test.want {
					becomes(t, "a peer that has gone", func() bool { return isHungUp(t, ours) })
				}
				if got := isHungUp(t, ours); got != test.want { // again: asking spends nothing
					t.Errorf("hung up: %t, want %t", got, test.want)
				}
			})
		}
	}
	if hungUp(^uintptr(0)) {
		t.Error("what is no descriptor has hung up")
	}
}

// A Conn tells that its client has gone while nobody reads, because the Inbox
// waits, and also under TLS.
func TestIsGone(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		ours, theirs := socketPair(t, network)
		var conns []*Conn
		for _, nc := range []net.Conn{ours, tls.Server(ours, nil)} {
			c := newConn(Options{}, false)
			c.attach(nc, nc, nil)
			conns = append(conns, c)
			if c.IsGone() {
				t.Errorf("%s: gone from the beginning", network)
			}
		}
		theirs.(halfCloser).CloseWrite()
		for _, c := range conns {
			becomes(t, "the end of the client's side", c.IsGone)
		}
		ours.Close()
		for _, c := range conns {
			if !c.IsGone() {
				t.Errorf("%s: a closed connection is there", network)
			}
		}
	}
}

type halfCloser interface{ CloseWrite() error }

// What the peer's system holds is acknowledged over TCP, though the peer has
// not read it; over a unix socket it is not.
func TestUnacked(t *testing.T) {
	ours, theirs := socketPair(t, "tcp")
	if n := isUnacked(t, ours); n != 0 {
		t.Errorf("%d bytes before the first", n)
	}
	ours.Write(make([]byte, 1000))
	becomes(t, "the peer's system", func() bool { return isUnacked(t, ours) == 0 })
	written := 1000 + fill(t, ours)
	if n := isUnacked(t, ours); n <= 0 || n >= written {
		t.Errorf("%d of %d bytes are not acknowledged", n, written)
	}
	drain(t, theirs, written)
	becomes(t, "the peer", func() bool { return isUnacked(t, ours) == 0 })

	ours, theirs = socketPair(t, "unix")
	if n := isUnacked(t, ours); n != 0 {
		t.Errorf("%d bytes before the first", n)
	}
	ours.Write(make([]byte, 1000))
	if n := isUnacked(t, ours); n < 1000 {
		t.Errorf("%d of 1000 bytes were not read", n)
	}
	drain(t, theirs, 1000)
	becomes(t, "the peer", func() bool { return isUnacked(t, ours) == 0 })

	file, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	raw, err := file.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if n, ok := unacked(fd); ok {
			t.Errorf("a socket that listens holds %d bytes", n)
		}
	})
}

// fill writes to a connection until it takes no more, and returns how much it
// took.
func fill(t *testing.T, nc net.Conn) (written int) {
	t.Helper()
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	// The buffers may grow meanwhile: it is full when it stays so.
	for full := 0; full < 20; full++ {
		raw.Control(func(fd uintptr) {
			for {
				n, err := syscall.Write(int(fd), make([]byte, 64<<10))
				if err != nil {
					return
				}
				written += n
				full = 0
			}
		})
		time.Sleep(5 * time.Millisecond)
	}
	return written
}

// drain reads n bytes.
func drain(t *testing.T, nc net.Conn, n int) {
	t.Helper()
	nc.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.CopyN(io.Discard, nc, int64(n)); err != nil {
		t.Fatal(err)
	}
}
