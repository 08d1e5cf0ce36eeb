package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
)

// text, ping and closing are frames as a client sends them.
func text(s string) []byte               { return appendFrame(nil, finBit|opText, []byte(s), true) }
func ping(s string) []byte               { return appendFrame(nil, finBit|opPing, []byte(s), true) }
func masked(first byte, s string) []byte { return appendFrame(nil, first, []byte(s), true) }
func closing(code int, reason string) []byte {
	return masked(finBit|opClose, string(closePayload(code, reason)))
}

func closePayload(code int, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// A frame is one as it was sent.
type frame struct {
	first   byte
	masked  bool
	payload []byte
}

func (f frame) op() byte   { return f.first & 0xf }
func (f frame) fin() bool  { return f.first&finBit != 0 }
func (f frame) rsv1() bool { return f.first&rsv1Bit != 0 }

// ending is what a close frame says.
func (f frame) ending() Ending {
	if len(f.payload) < 2 {
		return Ending{Code: codeNoStatus}
	}
	return Ending{int(binary.BigEndian.Uint16(f.payload)), string(f.payload[2:])}
}

// readFrame reads a frame, the simple way.
func readFrame(r io.Reader) (f frame, err error) {
	var h [2]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return f, err
	}
	n, least := uint64(h[1]&0x7f), uint64(0)
	var extended [8]byte
	switch n {
	case 126:
		_, err = io.ReadFull(r, extended[6:])
		n, least = binary.BigEndian.Uint64(extended[:]), 126
	case 127:
		_, err = io.ReadFull(r, extended[:])
		n, least = binary.BigEndian.Uint64(extended[:]), 1<<16
	}
	if err != nil {
		return f, io.ErrUnexpectedEOF
	}
	if n < least {
		return f, fmt.Errorf("%d bytes with a longer length than they need", n)
	}
	f.first, f.masked = h[0], h[1]&0x80 != 0
	var key [4]byte
	if f.masked {
		if _, err := io.ReadFull(r, key[:]); err != nil {
			return f, io.ErrUnexpectedEOF
		}
	}
	f.payload = make([]byte, n)
	if _, err := io.ReadFull(r, f.payload); err != nil {
		return f, io.ErrUnexpectedEOF
	}
	if f.masked {
		for i := range f.payload {
			f.payload[i] ^= key[i%4]
		}
	}
	return f, nil
}

// cutFrame reads the frame at the front of p and returns the rest.
func cutFrame(p []byte) (f frame, rest []byte, err error) {
	r := bytes.NewReader(p)
	f, err = readFrame(r)
	return f, p[len(p)-r.Len():], err
}

// framesOf reads what was sent, which must be whole frames.
func framesOf(t testing.TB, sent []byte) (frames []frame) {
	t.Helper()
	for r := bytes.NewReader(sent); ; {
		f, err := readFrame(r)
		if err == io.EOF {
			return frames
		}
		if err != nil {
			t.Fatalf("frame %d: %v", len(frames), err)
		}
		frames = append(frames, f)
	}
}

// A peer is the client at the other end of a Conn.
type peer struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

// newPeer returns the server's end of a connection that buffers nothing, and
// the client at its other end.
func newPeer(t testing.TB, o Options) (*Conn, *peer) {
	t.Helper()
	theirs, ours := net.Pipe()
	t.Cleanup(func() { theirs.Close() })
	return accepted(t, o, ours, nil), &peer{Conn: theirs, t: t, r: bufio.NewReader(theirs)}
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// next is the next frame that must come.
func (p *peer) next() frame {
	p.t.Helper()
	f, err := readFrame(p.r)
	if err != nil {
		p.t.Fatalf("reading a frame: %v", err)
	}
	return f
}

// want reads the next frame, which must be this one.
func (p *peer) want(first byte, payload string) {
	p.t.Helper()
	if f := p.next(); f.first != first || f.masked || string(f.payload) != payload {
		p.t.Errorf("got a frame %#x, masked %t, %.100q, want %#x %.100q", f.first, f.masked, f.payload, first, payload)
	}
}

// A receiving is a Receive under way.
type receiving struct {
	collector
	done chan struct{}
	err  error
}

// receive begins to receive.
func receive(c *Conn) *receiving {
	r := &receiving{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = c.Receive(&r.collector)
	}()
	return r
}

// ends waits for the end of Receive, which must be this one.
func (r *receiving) ends(t testing.TB, want error) {
	t.Helper()
	<-r.done
	if r.err != want {
		t.Errorf("ended with %v, want %v", r.err, want)
	}
}
