package bridge

import (
	"bufio"
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A lateBreaker is a program that has exited when it is seen that it broke its framing.
type lateBreaker struct{ *ownStreams }

func (lateBreaker) wait(context.Context) error { return errChildDone }

func (lateBreaker) pump(ctx context.Context, _ outlet, _ *wire.Batch) error {
	<-ctx.Done()
	return errBadFraming
}

// The exit of a program does not hide that it broke its framing, whichever is seen first.
func TestFramingBrokenBeforeTheExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{}
		client, server := net.Pipe()
		a, link := joined(t, h, server)
		s := h.newSession(a.ctx, link, nil)
		s.far = lateBreaker{newOwnStreams(strings.NewReader(""), discard{}, 0, nil, 100, s.end)}
		go h.run(s, a.place, a.info())
		p := &piped{Conn: client, peer: &peer{t: t, r: bufio.NewReader(client)}}
		if got, want := p.rest(), []reply{closeReply(errBadFraming)}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
