package cmd

import (
	"context"
	"net"
	"net/http"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/process"
)

// serveOnce makes h serve one session, at whose end it calls end with the exit
// status. Once it has begun nobody else is let in: the listeners, of which it
// returns those to serve at, are closed, unless there are pages, whose other
// files are perhaps still to come.
func serveOnce(h *bridge.Handler, listeners []net.Listener, end context.CancelCauseFunc) []net.Listener {
	h.MaxSessions = 1
	h.Closed = func(_ bridge.Close, state *process.State) { end(exitStatusOf(state)) }
	if h.Plain != nil {
		return listeners
	}
	until := make([]net.Listener, len(listeners))
	opened := make(chan struct{})
	for i, ln := range listeners {
		until[i] = &listenerUntil{ln, opened}
	}
	h.Opened = func() {
		close(opened)
		closeAll(listeners)
	}
	return until
}

// A listenerUntil has not failed when it is closed after done.
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

// exitStatusOf is the exit status for that of a command, as shells have it: 128+S
// for signal S. A command that could not be started, whose state is nil, is a
// failure.
func exitStatusOf(state *process.State) exitStatus {
	switch {
	case state == nil:
		return 1
	case state.Signal != 0:
		return exitStatus(128 + int(state.Signal))
	default:
		return exitStatus(state.Status)
	}
}
