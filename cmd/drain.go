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

	"github.com/wsbridge/wsbridge/cmd/internal/listen"
)

// killGrace is how long the end may take after a second signal. The children are
// dead at once; what can hold up the rest is a log that nobody reads.
const killGrace = time.Second

// A webServer serves until something ends it, and then ends its sessions.
type webServer struct {
	http      *listen.Server
	shutdown  func(context.Context) error // ends the sessions; at once when its context is done
	pageGrace time.Duration               // how long a download under way may hold up the end
	close     func()                      // closes what was served
}

// serve serves at listeners until a signal comes, ctx ends or a listener fails;
// then it ends the sessions. Another signal makes it do so at once. An exitStatus
// that is the cause of ctx's end is its error.
func (s *webServer) serve(ctx context.Context, listeners []net.Listener, signals <-chan os.Signal) error {
	var running sync.WaitGroup
	failed := make(chan error, len(listeners))
	for _, ln := range listeners {
		running.Go(func() {
			if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
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
	late, giveUp := context.WithCancel(context.Background()) // done killGrace after a second signal
	defer giveUp()
	var second sync.WaitGroup
	second.Go(func() {
		select {
		case <-signals:
			kill()
			time.AfterFunc(killGrace, giveUp)
		case <-ctx.Done():
		}
	})
	s.http.CloseSilent()
	pages := begin(func() {
		ctx, cancel := context.WithTimeout(ctx, s.pageGrace)
		defer cancel()
		_ = s.http.Shutdown(ctx)
		s.http.Close() // what Shutdown did not want to wait for
		running.Wait()
	})
	// Each TLS connection is closed with a farewell, for up to 5 s when its
	// client takes nothing.
	tooLong, cancel := context.WithTimeout(context.Background(), s.pageGrace+killGrace)
	defer cancel()
	drained := begin(func() {
		_ = s.shutdown(ctx) // its error says that a second signal came, which is no failure
	})
	select {
	case <-drained:
	case <-late.Done():
	}
	select {
	case <-pages:
	case <-tooLong.Done():
	case <-late.Done():
	}
	select {
	case <-begin(s.close):
	case <-late.Done():
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
