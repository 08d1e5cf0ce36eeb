package bridge

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// What the bridge itself costs. The kernel's part and that of the child are in
// the benchmarks of package cmd, which compare whole servers.

// A read brings one line of a child that flushes each, and a pipe full of them
// when it prints as fast as it can.
func BenchmarkLineOut(b *testing.B) {
	for _, size := range []int{100, 8000} {
		line := append(bytes.Repeat([]byte("x"), size-1), '\n')
		for _, n := range []int{1, 64 << 10 / size} {
			b.Run(fmt.Sprintf("size=%d/read=%d", size, n), func(b *testing.B) {
				from := &loopReader{again: b.Loop, block: bytes.Repeat(line, n)}
				s := accepted(b, Lines{}, wire.Options{}, &discardConn{}, nil, from, discard{})
				b.SetBytes(int64(n * size))
				b.ReportAllocs()
				if readErr, writeErr := s.deliver(); readErr != io.EOF || writeErr != nil {
					b.Fatal(readErr, writeErr)
				}
				perMessage(b, n)
				s.end(nil)
			})
		}
	}
}

func BenchmarkMessageIn(b *testing.B) {
	whole := func(p []byte) []byte { return appendFrame(nil, finBit|opText, p, true) }
	fragments := func(p []byte) []byte { // that is left to the library
		return appendFrame(appendFrame(nil, opText, p[:1], true), finBit|opContinuation, p[1:], true)
	}
	for _, size := range []int{100, 8000} {
		payload := bytes.Repeat([]byte("x"), size)
		for _, kind := range []struct {
			name  string
			frame []byte
			n     int
		}{
			{"whole", whole(payload), 1},
			{"whole", whole(payload), 64 << 10 / size},
			{"fragments", fragments(payload), 64 << 10 / size},
		} {
			b.Run(fmt.Sprintf("size=%d/form=%s/read=%d", size, kind.name, kind.n), func(b *testing.B) {
				from := &loopReader{again: b.Loop, block: bytes.Repeat(kind.frame, kind.n)}
				s := accepted(b, Lines{}, wire.Options{MaxMessageSize: 1 << 20}, &discardConn{from: from}, nil, nil, discard{})
				b.SetBytes(int64(kind.n * size))
				b.ReportAllocs()
				receiveAll(s)
				perMessage(b, kind.n)
			})
		}
	}
}

// perMessage adds the time that one of n messages an iteration took.
func perMessage(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/message")
}

func BenchmarkEnviron(b *testing.B) {
	h := &Handler{Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin"}}
	r := upgradeRequest(func(r *http.Request) {
		// What browsers send.
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
		r.Header.Set("Origin", "http://localhost:8080")
		r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
		r.Header.Set("Accept-Language", "en-GB,en;q=0.9")
		r.Header.Set("Cache-Control", "no-cache")
		r.Header.Set("Pragma", "no-cache")
		r.Header.Set("Cookie", "session=0123456789abcdef")
		r.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
	})
	b.ReportAllocs()
	for b.Loop() {
		environOf(h, r, "ABCDEFGHIJKL")
	}
}

// From the TCP connection to the first line of a child that prints one at
// once, and to the close frame behind it. The client's part is in it, which
// is small.
func BenchmarkFirstLine(b *testing.B) {
	echo, err := exec.LookPath("echo")
	if err != nil {
		b.Skip(err)
	}
	srv := serve(b, &Handler{Command: []string{echo, "hello"}})
	request := []byte(handshakeFor(srv, "/"))
	answer := make([]byte, 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		nc, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := nc.Write(request); err != nil {
			b.Fatal(err)
		}
		if err := readUntil(nc, answer, []byte("\x81\x05hello\x88")); err != nil {
			b.Fatal(err)
		}
		nc.Close()
	}
}

// readUntil reads into buf until what it wants is there.
func readUntil(r io.Reader, buf, want []byte) error {
	for n := 0; !bytes.Contains(buf[:n], want); {
		k, err := r.Read(buf[n:])
		n += k
		if err != nil && !bytes.Contains(buf[:n], want) {
			return fmt.Errorf("after %q: %w", buf[:n], err)
		}
	}
	return nil
}

// A loopReader reads the same block again and again.
type loopReader struct {
	again func() bool
	block []byte
	left  []byte
	ended bool
}

func (r *loopReader) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		if r.ended = r.ended || !r.again(); r.ended {
			return 0, io.EOF
		}
		r.left = r.block
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// A discardConn is a connection to a peer that reads without a pause.
type discardConn struct {
	wiretest.Conn
	from io.Reader
}

func (c *discardConn) Read(p []byte) (int, error)      { return c.from.Read(p) }
func (c *discardConn) Write(p []byte) (int, error)     { return len(p), nil }
func (c *discardConn) SetReadDeadline(time.Time) error { return nil }
