package cmd

import (
	"context"
	"net"
	"net/http"

	"github.com/wsbridge/wsbridge/cmd/internal/listen"
	"github.com/wsbridge/wsbridge/process"
)

// serveOnce makes s serve one session, at whose end it calls end with the exit
// status. Once it has begun nobody else is let in: the listeners are closed,
// unless there are pages, which may still need other files. It returns the
// listeners to serve at.
func serveOnce(s *openSite, listeners []net.Listener, end context.CancelCauseFunc) []net.Listener {
	ended := func(status exitStatus) { end(status) }
	if s.hasPages() || s.resume > 0 { // whose client may come back
		s.limitToOne(nil, ended)
		return listeners
	}
	until := make([]net.Listener, len(listeners))
	opened := make(chan struct{})
	for i, ln := range listeners {
		until[i] = &listenerUntil{ln, opened}
	}
	s.limitToOne(func() {
		close(opened)
		listen.CloseAll(listeners)
	}, ended)
	return until
}

// A listenerUntil reports no failure when it is closed after done.
type listenerUntil struct {
	net.Listener
	done <-chan struct{}
}

func (l *listenerUntil) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		select {
		case <-l.done:
			err = http.ErrServerClosed
		default:
		}
	}
	return c, err
}

// exitStatusOf is the exit status for that of a command. One that could not be
// started, whose state is nil, is a failure.
func exitStatusOf(state *process.State) exitStatus {
	if state == nil {
		return 1
	}
	return exitStatus(state.ExitCode())
}
