package bridge

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A client that does not answer the close of a session without a program holds
// up a drain and a restart for no longer than any other.
func TestNotStartedWhileDraining(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(*Handler)
		took time.Duration
	}{
		{"nothing", func(*Handler) {}, closeLimit},
		{"restart", func(h *Handler) { h.Restart("", nil) }, drainLimit},
		{"shutdown", func(h *Handler) { go h.Shutdown(context.Background()); synctest.Wait() }, drainLimit},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &Handler{}
				client, server := net.Pipe()
				go io.Copy(io.Discard, client) // reads, but says nothing
				a, link := joined(t, h, server)
				test.do(h)
				begin := time.Now()
				h.notStarted(link, a, a.info(), http.ErrServerClosed)
				if took := time.Since(begin); took != test.took || h.sessions() != 0 {
					t.Errorf("it took %v, want %v; %d sessions", took, test.took, h.sessions())
				}
			})
		})
	}
}

// An exited is a program that has exited, and of which the output is left.
type exited struct{ *ownStreams }

func (exited) wait(context.Context) error { return errChildDone }

func (e exited) pump(_ context.Context, out outlet, batch *wire.Batch) error {
	d := &delivery{codec: e.codec, out: out, batch: batch}
	if _, err := d.run(&stream{name: "stdout", from: readerSource{e.input}}); err != nil {
		return nil
	}
	return errChildDone
}

// A restart is for programs that run. It does not hurry the client of one that
// has exited before, which takes its time to read the rest; a drain does.
func TestTailAndRestart(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(*Handler)
		want []reply
	}{
		{"restart", func(h *Handler) { h.Restart("", nil) },
			[]reply{{opText, "first"}, {opText, "last"}, closeReply(Ending{Code: 1000})}},
		{"shutdown", func(h *Handler) { go h.Shutdown(context.Background()) }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &Handler{}
				client, server := net.Pipe()
				a, link := joined(t, h, server)
				s := h.newSession(a.ctx, link, nil)
				s.far = exited{newOwnStreams(strings.NewReader("first\nlast"), discard{}, 0, nil, 100, s.end)}
				go h.run(s, a.place, a.info())
				synctest.Wait()
				test.do(h)
				time.Sleep(3 * drainLimit)
				p := &piped{Conn: client, peer: &peer{t: t, r: bufio.NewReader(client)}}
				if got := p.rest(); !slices.Equal(got, test.want) {
					t.Errorf("got %v, want %v", got, test.want)
				}
			})
		})
	}
}

// joined is a request that has passed all steps, and its WebSocket.
func joined(t *testing.T, h *Handler, server net.Conn) (*admission, *wire.Conn) {
	t.Helper()
	a := h.admission(upgradeRequest())
	if refused := a.pass([]admitStep{(*admission).takePlace, (*admission).join}); refused != nil {
		t.Fatal(refused)
	}
	link, err := wire.Accept(pipedWriter{httptest.NewRecorder(), halfCloser{server}}, a.request, h.options(a))
	if err != nil {
		t.Fatal(err)
	}
	return a, link
}
