package wire

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// newSystem returns a Conn, and the client's program, whose system takes room bytes.
func newSystem(t testing.TB, room int, o Options) (*Conn, *program) {
	t.Helper()
	s, to := wiretest.NewSystem(room)
	return accepted(t, o, s, nil), &program{System: s, to: to, t: t}
}

// A program is the client behind a system.
type program struct {
	*wiretest.System
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
	taken := p.Take(n)
	p.got = append(p.got, taken...)
	for p.answer() {
	}
	return len(taken) > 0
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
