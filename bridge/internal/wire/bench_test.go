package wire

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// What it costs to take messages, whole and through the library alone.
func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{100, 1000, 8000} {
		n := 64 << 10 / size
		block := bytes.Repeat(text(strings.Repeat("x", size)), n)
		for _, path := range []struct {
			name    string
			receive func(*Conn) error
		}{{"whole", (*Conn).receive}, {"library", throughLibrary}} {
			b.Run(fmt.Sprintf("size=%d/%s", size, path.name), func(b *testing.B) {
				c := accepted(b, Options{MaxMessageSize: 1 << 20}, &loopConn{again: b.Loop, block: block}, nil)
				in := &sameRoom{}
				c.reader.inbox = in
				b.SetBytes(int64(n * size))
				b.ReportAllocs()
				if end := c.ended(path.receive(c)); end != Lost {
					b.Fatal(end)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(in.messages), "ns/message")
				c.Leave()
			})
		}
	}
}

// A loopConn is a connection from which the same block is read again and again.
type loopConn struct {
	wiretest.Conn
	again func() bool
	block []byte
	rest  []byte
	over  bool
}

func (l *loopConn) Read(p []byte) (int, error) {
	if l.over {
		return 0, io.EOF
	}
	if len(l.rest) == 0 {
		if l.over = !l.again(); l.over {
			return 0, io.EOF
		}
		l.rest = l.block
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// A sameRoom is an Inbox that has all messages read into the same place.
type sameRoom struct {
	room     [64 << 10]byte
	messages int
}

func (s *sameRoom) Room(message []byte, n int) []byte { return s.room[:len(message)] }
func (s *sameRoom) Message(Kind, []byte, bool)        { s.messages++ }
func (s *sameRoom) Wait(bool)                         {}

// What it costs to unmask text and to find out that it is UTF-8: with the
// verdict of applyMaskTo that it is ASCII, and by a second pass.
func BenchmarkUnmask(b *testing.B) {
	for _, size := range []int{16, 100, 1000, 8000} {
		src, dst := bytes.Repeat([]byte("x"), size), make([]byte, size)
		key := [4]byte{1, 2, 3, 4}
		applyMask(src, key)
		b.Run(fmt.Sprintf("size=%d/verdict", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if !applyMaskTo(dst, src, key) && !utf8.Valid(dst) {
					b.Fatal("not UTF-8")
				}
			}
		})
		b.Run(fmt.Sprintf("size=%d/two passes", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if applyMaskTo(dst, src, key); !utf8.Valid(dst) {
					b.Fatal("not UTF-8")
				}
			}
		})
	}
}
