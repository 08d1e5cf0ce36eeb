package bridge

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
	"github.com/wsbridge/wsbridge/process"
)

// inMemory is a session with nothing at its far end but to, in which the client
// sends in and is gone.
func inMemory(t testing.TB, framing Framing, limit int, in []byte, sizes []byte, to sink) (*session, *wiretest.Conn) {
	piece := wiretest.InPieces(sizes)
	early := min(piece(len(in)), 4096)
	nc := &wiretest.Conn{In: in[early:], Piece: piece}
	return accepted(t, framing, wire.Options{MaxMessageSize: limit}, nc, in[:early], nil, to), nc
}

// accepted is a session at the server's end of nc, with nothing at its far end
// but from and to.
func accepted(t testing.TB, framing Framing, o wire.Options, nc net.Conn, early []byte, from io.Reader, to sink) *session {
	link, err := wire.Accept(wiretest.Upgrade{Conn: nc, Early: early}, upgradeRequest(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{link: link, draining: context.Background(), killed: context.Background()}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	s.inputDone = make(chan struct{})
	s.far = newOwnStreams(from, to, 0, framing, o.MaxMessageSize, func(error) {}) // a child may close its input
	return s
}

// receiveAll is the session's way from the client to the far end.
func receiveAll(s *session) {
	defer time.AfterFunc(time.Minute, func() { panic("the session hangs") }).Stop()
	s.input()
	s.far.closeInput()
	<-s.far.(*ownStreams).feed.done
	s.link.Close(wire.Ending(endingFor(context.Cause(s.ctx), process.State{})), closeLimit)
}

// deliver is its way from the far end to the client.
func (s *session) deliver() (readErr, err error) {
	far := s.far.(*ownStreams)
	d := &delivery{codec: far.codec, out: s, batch: s.link.NewBatch()}
	return d.run(&stream{name: "stdout", from: readerSource{far.input}})
}

// A readerSource is a reader that never has nothing.
type readerSource struct{ io.Reader }

func (r readerSource) ReadTo(take func() []byte, _ func()) (int, error) { return r.Read(take()) }

// sentFrames reads what a server has sent, which must be whole frames.
func sentFrames(t testing.TB, sent []byte) []frame {
	t.Helper()
	p := &peer{t: t, r: bufio.NewReader(bytes.NewReader(sent))}
	var frames []frame
	for {
		f, err := p.frame()
		if err == io.EOF {
			return frames
		}
		if err != nil {
			t.Fatalf("frame %d: %v", len(frames), err)
		}
		frames = append(frames, f)
	}
}
