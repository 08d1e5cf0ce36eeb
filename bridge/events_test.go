package bridge

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/process"
)

// Over MaxSessions nobody is let in, also when the others have gone.
func TestMaxSessions(t *testing.T) {
	h := child(&Handler{Limits: &Limits{MaxSessions: 2}}, "exit", "0")
	srv := serve(t, h)
	if got := handshake(t, srv, "Origin: http://example.com"); got != 403 {
		t.Errorf("got %d", got)
	}
	h.ServeHTTP(httptest.NewRecorder(), upgradeRequest()) // has no connection to take over
	for range 2 {
		connect(t, srv).wantClose(Ending{Code: 1000})
	}
	if got := handshake(t, srv); got != 503 {
		t.Errorf("a third session gets %d, want 503", got)
	}
}

// What a listener is told of a session, in order, and of what.
func TestEventsOfASession(t *testing.T) {
	for _, test := range []struct {
		name  string
		child []string
		tells []string
		end   Ending
		state *process.State
	}{
		{"exit 0", []string{"exit", "0"}, []string{"Opened", "Started", "Closed"}, Ending{Code: 1000}, &process.State{}},
		{"exit 3", []string{"exit", "3"}, []string{"Opened", "Started", "Closed"}, Ending{4003, "exit status 3"}, &process.State{Status: 3}},
		{"no such program", nil, []string{"Opened", "NotStarted", "Closed"}, Ending{1011, "command not found"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &Handler{Command: []string{"./no-such-program"}}
			if test.child != nil {
				child(h, test.child[0], test.child[1:]...)
			}
			log := record(t, h)
			srv := serve(t, h)
			connect(t, srv).wantClose(test.end)
			if err := h.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			events, _ := log.all()
			var tells []string
			for _, e := range events {
				tells = append(tells, strings.TrimPrefix(fmt.Sprintf("%T", e), "bridge."))
			}
			if !slices.Equal(tells, test.tells) {
				t.Fatalf("was told %v", tells)
			}
			opened, closed := events[0].(Opened).Info, events[2].(Closed)
			if closed.Ending != test.end || (closed.State == nil) != (test.state == nil) || closed.State != nil && *closed.State != *test.state {
				t.Errorf("was told %v, %v", closed.Ending, closed.State)
			}
			if len(opened.ID) != 12 || opened.ID != closed.ID || opened.Remote == "" || opened.Path != "/" || opened.Program != h.Command[0] ||
				opened.Pid != 0 || (closed.Pid == 0) != (test.state == nil) {
				t.Errorf("of %+v, and then of %+v", opened, closed.Info)
			}
		})
	}
}
