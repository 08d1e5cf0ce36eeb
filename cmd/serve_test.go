package cmd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/listen"
	"github.com/wsbridge/wsbridge/process"
)

// testServer serves h; its pages may hold up the end for the time of grace.
func testServer(h http.Handler, shutdown func(context.Context) error, grace time.Duration) *webServer {
	return &webServer{
		http:      listen.NewServer(h, time.Minute, time.Minute, slog.New(slog.DiscardHandler)),
		shutdown:  shutdown,
		pageGrace: grace,
		close:     func() {},
	}
}

// started serves on a loopback port until the test ends that; the error of serve
// comes on the channel.
func started(t *testing.T, ctx context.Context, srv *webServer, signals <-chan os.Signal) (url string, ln net.Listener, ended <-chan error) {
	t.Helper()
	listeners, err := listen.TCP(ctx, []string{"127.0.0.1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.serve(ctx, listeners, signals) }()
	return listen.URL("http", listeners[0]), listeners[0], done
}

func noSessions(context.Context) error { return nil }

func receive(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		t.Fatal("serve does not end")
		return nil
	}
}

func TestServeEndsBySignal(t *testing.T) {
	signals := make(chan os.Signal, 2)
	url, _, ended := started(t, t.Context(), testServer(http.NotFoundHandler(), noSessions, 2*time.Second), signals)
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Get(url) // leaves an idle connection
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	signals <- os.Interrupt
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
	if _, err := client.Get(url); err == nil {
		t.Error("it still answers")
	}
}

func TestServeSecondSignal(t *testing.T) {
	signals := make(chan os.Signal, 2)
	draining := make(chan struct{})
	stubborn := func(ctx context.Context) error {
		close(draining)
		<-ctx.Done()
		return ctx.Err()
	}
	_, _, ended := started(t, t.Context(), testServer(http.NotFoundHandler(), stubborn, 2*time.Second), signals)
	signals <- os.Interrupt
	<-draining
	select {
	case err := <-ended:
		t.Fatal("it did not wait for the sessions:", err)
	default:
	}
	signals <- os.Interrupt
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
}

// A connection on which nothing was ever said holds nothing up.
func TestServeEndsWithASilentConnection(t *testing.T) {
	signals := make(chan os.Signal, 2)
	_, ln, ended := started(t, t.Context(), testServer(http.NotFoundHandler(), noSessions, time.Hour), signals)
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	signals <- os.Interrupt
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
}

// Sessions and watches that a log which nobody reads holds up do not hold up the end.
func TestServeSecondSignalIsTheLast(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	for name, hold := range map[string]func(*webServer){
		"sessions": func(s *webServer) {
			s.shutdown = func(context.Context) error {
				<-stuck
				return nil
			}
		},
		"watches": func(s *webServer) { s.close = func() { <-stuck } },
	} {
		t.Run(name, func(t *testing.T) {
			signals := make(chan os.Signal, 2)
			srv := testServer(http.NotFoundHandler(), noSessions, 2*time.Second)
			hold(srv)
			_, _, ended := started(t, t.Context(), srv, signals)
			signals <- os.Interrupt
			signals <- os.Interrupt
			if err := receive(t, ended); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestServeListenerFails(t *testing.T) {
	_, ln, ended := started(t, t.Context(), testServer(http.NotFoundHandler(), noSessions, 2*time.Second), nil)
	ln.Close()
	if err := receive(t, ended); err == nil {
		t.Error("no error")
	}
}

// A download that nobody reads does not hold up the end for long.
func TestServeEndsDuringDownload(t *testing.T) {
	begun := make(chan struct{})
	endless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	url, _, ended := started(t, ctx, testServer(endless, noSessions, 2*time.Second), nil)
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-begun
	cancel()
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the download was not cut off")
	}
}

// Its context may end with the exit status.
func TestServeEndsWithAStatus(t *testing.T) {
	ctx, end := context.WithCancelCause(t.Context())
	_, _, ended := started(t, ctx, testServer(http.NotFoundHandler(), noSessions, 2*time.Second), nil)
	end(exitStatus(7))
	if err := receive(t, ended); err != exitStatus(7) {
		t.Errorf("ended with %v", err)
	}
}

func TestStatusOf(t *testing.T) {
	for _, test := range []struct {
		state *process.State
		want  exitStatus
	}{
		{&process.State{}, 0},
		{&process.State{Status: 3}, 3},
		{&process.State{Signal: syscall.SIGKILL}, 137},
		{nil, 1},
	} {
		if got := exitStatusOf(test.state); got != test.want {
			t.Errorf("%v: got %v, want %v", test.state, got, test.want)
		}
	}
}

// reluctant are connections whose Close takes until the test ends, as over TLS
// it may take seconds.
type reluctant struct {
	net.Listener
	end <-chan struct{}
}

func (l reluctant) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	return reluctantConn{nc, l.end}, err
}

type reluctantConn struct {
	net.Conn
	end <-chan struct{}
}

func (c reluctantConn) Close() error {
	<-c.end
	return c.Conn.Close()
}

// Connections that take their time to be closed do not hold up the end for long.
func TestServeEndsWithoutFarewell(t *testing.T) {
	for _, n := range []int{1, 2} {
		t.Run(fmt.Sprint(n, " signals"), func(t *testing.T) {
			grace := 10 * time.Millisecond
			if n == 2 {
				grace = time.Hour
			}
			listeners, err := listen.TCP(t.Context(), []string{"127.0.0.1"}, 0)
			if err != nil {
				t.Fatal(err)
			}
			url := listen.URL("http", listeners[0])
			end := make(chan struct{})
			signals := make(chan os.Signal, 2)
			ended := make(chan error, 1)
			draining := func(ctx context.Context) error {
				if n == 2 {
					signals <- os.Interrupt
					<-ctx.Done()
				}
				return nil
			}
			go func() {
				ended <- testServer(http.NotFoundHandler(), draining, grace).serve(t.Context(), []net.Listener{reluctant{listeners[0], end}}, signals)
			}()
			client := &http.Client{Transport: &http.Transport{}}
			resp, err := client.Get(url) // leaves an idle connection
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			signals <- os.Interrupt
			if err := receive(t, ended); err != nil {
				t.Error(err)
			}
			close(end)
			client.CloseIdleConnections()
		})
	}
}
