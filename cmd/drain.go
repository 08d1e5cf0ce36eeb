package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// pageGrace is how long a download under way may hold up the end. Tests
// lengthen it.
var pageGrace = 2 * time.Second

// killGrace is how long sessions may take to be gone after a second signal.
// Their children are dead at once; what can hold them up is a log that nobody
// reads.
const killGrace = time.Second

// serve runs srv until a signal comes, ctx ends or a listener fails; then it
// ends the sessions by calling shutdown. Another signal makes it do so at once.
// An exitStatus that is the cause of ctx's end is its error.
func serve(ctx context.Context, srv *http.Server, shutdown func(context.Context) error, listeners []net.Listener, signals <-chan os.Signal) error {
	var silent silentConns
	srv.ConnState = silent.track
	var running sync.WaitGroup
	failed := make(chan error, len(listeners))
	for _, ln := range listeners {
		running.Go(func() {
			if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("%s: %w", ln.Addr(), err)
			}
		})
	}
	var err error
	select {
	case <-signals:
	case <-ctx.Done():
		if status, ok := errors.AsType[exitStatus](context.Cause(ctx)); ok {
			err = status
		}
	case err = <-failed:
	}

	ctx, kill := context.WithCancel(context.WithoutCancel(ctx))
	var second sync.WaitGroup
	second.Go(func() {
		select {
		case <-signals:
			kill()
		case <-ctx.Done():
		}
	})
	silent.close()
	pages := begin(func() {
		ctx, cancel := context.WithTimeout(ctx, pageGrace)
		defer cancel()
		_ = srv.Shutdown(ctx)
		srv.Close() // what Shutdown did not want to wait for
		running.Wait()
	})
	// Each TLS connection is closed with a farewell, for up to 5 s when its
	// client takes nothing.
	tooLong, cancel := context.WithTimeout(context.Background(), pageGrace+killGrace)
	defer cancel()
	drained := begin(func() {
		_ = shutdown(ctx) // its error says that a second signal came, which is no failure
	})
	select {
	case <-drained:
	case <-ctx.Done():
		tooLong, cancel = context.WithTimeout(context.Background(), killGrace)
		defer cancel()
		select {
		case <-drained:
		case <-tooLong.Done():
		}
	}
	select {
	case <-pages:
	case <-tooLong.Done():
	}
	kill()
	second.Wait()
	return err
}

// begin runs f in a goroutine and returns a channel that is closed at its end.
func begin(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

// silentConns are the connections on which no request has begun, such as a
// browser opens for later. Shutdown would wait for one.
type silentConns struct {
	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
}

// track is an http.Server's ConnState.
func (s *silentConns) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.conns, c)
	case s.closed:
		c.Close()
	default:
		if s.conns == nil {
			s.conns = make(map[net.Conn]bool)
		}
		s.conns[c] = true
	}
}

// close closes them, and those that come later.
func (s *silentConns) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
}
