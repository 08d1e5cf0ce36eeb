package bridge

import (
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/wsbridge/wsbridge/process"
)

// Over MaxSessions nobody is let in, also when the others have gone.
func TestMaxSessions(t *testing.T) {
	h := child(&Handler{MaxSessions: 2}, "exit", "0")
	srv := serve(t, h)
	if got := handshake(t, srv, "Origin: http://example.com"); got != 403 {
		t.Errorf("got %d", got)
	}
	h.ServeHTTP(httptest.NewRecorder(), upgradeRequest()) // has no connection to take over
	for range 2 {
		connect(t, srv).wantClose(Close{Code: 1000})
	}
	if got := handshake(t, srv); got != 503 {
		t.Errorf("a third session gets %d, want 503", got)
	}
}

// What a program is told of its sessions.
func TestOpenedAndClosed(t *testing.T) {
	type closed struct {
		Close
		state *process.State
	}
	for _, test := range []struct {
		name  string
		child []string
		want  closed
	}{
		{"exit 0", []string{"exit", "0"}, closed{Close{Code: 1000}, &process.State{}}},
		{"exit 3", []string{"exit", "3"}, closed{Close{4003, "exit status 3"}, &process.State{Status: 3}}},
		{"no such program", nil, closed{Close{1011, "command not found"}, nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var said []string
			var got closed
			h := &Handler{Command: []string{"./no-such-program"}}
			if test.child != nil {
				child(h, test.child[0], test.child[1:]...)
			}
			h.Opened = func() { said = append(said, "opened") }
			h.Closed = func(c Close, state *process.State) {
				said, got = append(said, "closed"), closed{c, state}
			}
			srv := serve(t, h)
			connect(t, srv).wantClose(test.want.Close)
			if err := h.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(said, []string{"opened", "closed"}) {
				t.Errorf("was told %v", said)
			}
			if got.Close != test.want.Close || (got.state == nil) != (test.want.state == nil) || got.state != nil && *got.state != *test.want.state {
				t.Errorf("was told %v, %v", got.Close, got.state)
			}
		})
	}
}
