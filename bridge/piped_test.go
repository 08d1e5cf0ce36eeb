package bridge

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// A piped is a session of a Handler that has neither child nor socket, so that
// it can be run in a bubble of synctest, where time costs nothing and is exact.
type piped struct {
	net.Conn // the client's end
	*peer    // reads it

	session *session
	handler *Handler
	end     Ending        // how it ended
	took    time.Duration // from the start to the end
	done    chan struct{}
}

// A pipedWriter is hijacked by the library.
type pipedWriter struct {
	*httptest.ResponseRecorder
	nc net.Conn
}

func (w pipedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.nc, bufio.NewReadWriter(bufio.NewReader(w.nc), bufio.NewWriter(w.nc)), nil
}

// A halfCloser is a pipe that can be closed in one direction, as sockets can.
type halfCloser struct{ net.Conn }

func (halfCloser) CloseWrite() error { return nil }

// runPiped runs a session between a client, source and to.
func runPiped(t *testing.T, h *Handler, source io.Reader, to sink) *piped {
	client, server := net.Pipe()
	return runOver(t, client, halfCloser{server}, h, source, to)
}

// runOver is runPiped over a connection that is there.
func runOver(t *testing.T, client, server net.Conn, h *Handler, source io.Reader, to sink) *piped {
	r := wiretest.Request()
	a := h.admission(r)
	for _, next := range []admitStep{(*admission).takePlace, (*admission).join} {
		if refused := next(a); refused != nil {
			t.Fatal(refused)
		}
	}
	link, err := wire.Accept(pipedWriter{httptest.NewRecorder(), server}, r, h.options(a))
	if err != nil {
		t.Fatal(err)
	}
	s := h.newSession(a.ctx, link, nil)
	s.quiet.tell = h.silent(a.info())
	own := newOwnStreams(source, to, 0, h.Framing, h.Bounds.backlog(), s.end)
	own.feed.gone = link.IsGone
	s.far = own
	if _, ok := source.(exiting); ok {
		s.far = exits{own}
	}
	p := &piped{Conn: client, peer: &peer{t: t, r: bufio.NewReader(client)}, session: s, handler: h, done: make(chan struct{})}
	begin := time.Now()
	go func() {
		defer close(p.done)
		defer a.place.free()
		p.end, _ = s.run()
		p.took = time.Since(begin)
	}()
	return p
}

// An exiting source is the output of a program, whose end is that of the program.
type exiting struct{ io.Reader }

// An exits is the far end that has it.
type exits struct{ *ownStreams }

func (e exits) pump(ctx context.Context, out outlet, batch *wire.Batch) error {
	cause := e.ownStreams.pump(ctx, out, batch)
	if cause == errInputDone {
		return errChildDone
	}
	return cause
}

func (p *piped) send(b []byte) {
	p.t.Helper()
	if _, err := p.Conn.Write(b); err != nil {
		p.t.Error(err)
	}
}

// rest reads frames until the connection ends.
func (p *piped) rest() (all []reply) {
	for {
		f, err := p.frame()
		if err != nil {
			if err != io.EOF {
				p.t.Errorf("the connection ends with %v", err)
			}
			return all
		}
		all = append(all, reply{f.op, string(f.payload)})
	}
}

// wantRest reads what must be nothing, or a close frame and nothing else.
func (p *piped) wantRest(want ...Ending) {
	p.t.Helper()
	got := p.rest()
	if len(got) != len(want) || len(want) > 0 && got[0] != closeReply(want[0]) {
		p.t.Errorf("got %v, want %v", got, want)
	}
	<-p.done
}

func closeReply(c Ending) reply { return reply{opClose, closePayload(c)} }

// silence is a source that says nothing until it is closed.
func silence(t *testing.T) (source io.Reader, end func()) {
	r, w := io.Pipe()
	return r, func() { w.Close() }
}

// A flood is a source that never ends.
type flood struct{}

func (flood) Read(p []byte) (int, error) { return copy(p, "a line without end\n"), nil }
