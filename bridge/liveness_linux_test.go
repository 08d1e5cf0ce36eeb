package bridge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	// trickle prints a short line ten times a second.
	children["trickle"] = func([]string) {
		for {
			if _, err := os.Stdout.WriteString("tick\n"); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	// bequeath FILE writes as much as a pipe holds, leaves its number in the file
	// and exits.
	children["bequeath"] = func(args []string) {
		os.Stdout.Write(bytes.Repeat([]byte("0123456789abcde\n"), 60<<6))
		if err := os.WriteFile(args[0], fmt.Append(nil, os.Getpid(), "\n"), 0o600); err != nil {
			panic(err)
		}
	}
	// print N prints N lines of 100 bytes, and exits with status 0.
	children["print"] = func(args []string) {
		out := bufio.NewWriterSize(os.Stdout, 64<<10)
		defer out.Flush()
		for i := range number(args[0]) {
			fmt.Fprintf(out, "%099d\n", i)
		}
	}
}

// A client that neither reads nor answers is found dead, whatever its program
// does: that the system at its end still takes bytes is no sign of life.
func TestFrozenClient(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"echo", "trickle", "flood", "print 60000"} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %t", command, secure), func(t *testing.T) {
				t.Parallel()
				words := strings.Fields(command)
				h := child(pinging(500*time.Millisecond), words[0], words[1:]...)
				ended := reports(h)
				start := serve
				if secure {
					start = serveTLS
				}
				p := connect(t, start(t, h))
				if command != "echo" {
					p.message() // and then no more
				}
				if end := within(t, ended, 20*time.Second); end.code != 1006 {
					t.Errorf("ended with %d %s, and the client got nothing of that", end.code, end.reason)
				}
			})
		}
	}
}

// A client that reads slowly but steadily is not cut: neither while its program
// goes on, nor when the program is done and megabytes are still on their way.
func TestSteadyClient(t *testing.T) {
	t.Parallel()
	const lines = 40_000
	for _, test := range []struct {
		interval time.Duration
		rate     int // bytes a second
	}{
		{time.Second, 400_000},
		{500 * time.Millisecond, 500_000},
	} {
		t.Run(fmt.Sprintf("%v, %d bytes a second", test.interval, test.rate), func(t *testing.T) {
			t.Parallel()
			h := child(pinging(test.interval), "print", fmt.Sprint(lines))
			ended := reports(h)
			s := newSteady(connect(t, serve(t, h)), test.rate)
			code, err := s.readAll(lines + 1)
			if s.lines != lines || code != 1000 {
				t.Errorf("%d of %d lines, code %d, %v", s.lines, lines, code, err)
			}
			if end := soon(t, ended); end.code != code {
				t.Errorf("the report says %d, the client got %d", end.code, code)
			}
		})
	}
}

func TestSteadyClientOfAFlood(t *testing.T) {
	t.Parallel()
	h := child(pinging(500*time.Millisecond), "flood")
	ended := reports(h)
	// Long enough for many intervals, and for more than the systems hold.
	s := newSteady(connect(t, serve(t, h)), 500_000)
	if code, err := s.readAll(50_000); code != 0 || err != nil {
		t.Fatalf("cut after %d lines: code %d, %v", s.lines, code, err)
	}
	s.write(closing(1000, ""))
	s.pace.rate = 0
	if code, err := s.readAll(1 << 30); code != 1000 {
		t.Errorf("closed with %d, %v", code, err)
	}
	if end := soon(t, ended); end.code != 1000 {
		t.Errorf("the report says %d", end.code)
	}
}

// A connection that was cut is reported as that, though the program has ended
// well: the client has not got its last words.
func TestCutInTheTail(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"frozen", "reset", "end"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			exited := filepath.Join(t.TempDir(), "exited")
			h := child(pinging(500*time.Millisecond), "bequeath", exited)
			ended := reports(h)
			p := connectTight(t, tightServer(t, h)) // most of it stays in the pipe
			until(t, func() bool {
				pid, err := os.ReadFile(exited)
				if err != nil || !bytes.HasSuffix(pid, []byte("\n")) {
					return false
				}
				_, err = os.Stat("/proc/" + strings.TrimSpace(string(pid)))
				return errors.Is(err, fs.ErrNotExist)
			}, func() string { return "the program's exit" })
			switch how {
			case "reset":
				p.SetLinger(0)
				p.Close()
			case "end":
				p.Close() // with output unread
			}
			if end := soon(t, ended); end.code != 1006 {
				t.Errorf("the report says %d %s", end.code, end.reason)
			}
		})
	}
}

// connectTight opens a WebSocket with a socket that takes little from the
// beginning on.
func connectTight(t *testing.T, srv *httptest.Server) *peer {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
		})
	}}
	nc, err := d.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(testLimit))
	p := &peer{TCPConn: nc.(*net.TCPConn), t: t, r: bufio.NewReaderSize(nc, 512)}
	p.write([]byte(handshakeFor(srv, "/")))
	p.wantSwitch()
	return p
}

// A steady peer reads so many bytes a second and answers each ping when it
// reaches it.
type steady struct {
	*peer
	pace  *paced
	lines int // messages so far
}

func newSteady(p *peer, rate int) *steady {
	pace := &paced{r: p.r, rate: rate, begin: time.Now()}
	p.r = bufio.NewReader(pace)
	return &steady{peer: p, pace: pace}
}

// readAll reads until it has so many lines, or until a close frame (whose code
// it returns) or the end of the connection.
func (s *steady) readAll(lines int) (code int, err error) {
	for s.lines < lines {
		s.SetDeadline(time.Now().Add(testLimit))
		f, err := s.frame()
		switch {
		case err != nil:
			return 1006, err
		case f.op == opPing:
			if _, err := s.Write(ponging(f.payload)); err != nil {
				return 1006, err
			}
		case f.op == opClose:
			s.Write(closing(1000, ""))
			return int(binary.BigEndian.Uint16(f.payload)), nil
		default:
			s.lines++
		}
	}
	return 0, nil
}

// A paced reader reads a given number of bytes a second.
type paced struct {
	r     io.Reader
	rate  int // 0: as fast as it can
	begin time.Time
	read  int
}

func (p *paced) Read(b []byte) (int, error) {
	if p.rate > 0 {
		due := time.Duration(float64(p.read) / float64(p.rate) * float64(time.Second))
		time.Sleep(due - time.Since(p.begin))
	}
	n, err := p.r.Read(b)
	p.read += n
	return n, err
}
