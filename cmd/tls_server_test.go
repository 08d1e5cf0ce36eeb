package cmd

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/coder/websocket"
)

// A tlsServer is what a command line with --ssl starts, in this process.
type tlsServer struct {
	t      *testing.T
	addr   string
	plain  string // the address of the redirects
	log    *watched
	config *tls.Config // of its clients
	stop   context.CancelFunc
	ended  chan error
}

// startTLS runs what the command line asks for on a free port, with a
// certificate of an authority, until the test ends it.
func startTLS(t *testing.T, args ...string) *tlsServer {
	t.Helper()
	return startTLSWith(t, timeouts{}, args...)
}

func startTLSWith(t *testing.T, limits timeouts, args ...string) *tlsServer {
	t.Helper()
	a := newAuthority("test")
	dir := t.TempDir()
	writePair(t, dir, a, 1)
	return startIn(t, limits, a, dir, args...)
}

// startWith is startTLS with the files cert and key of a directory.
func startWith(t *testing.T, a *authority, dir string, args ...string) *tlsServer {
	t.Helper()
	return startIn(t, timeouts{}, a, dir, args...)
}

func startIn(t *testing.T, limits timeouts, a *authority, dir string, args ...string) *tlsServer {
	t.Helper()
	o, _, status, stderr := parse(append([]string{"--port=0", "--loglevel=debug", "--passenv=PATH,GORACE=atexit_sleep_ms=0", "--ssl",
		"--sslcert=" + filepath.Join(dir, "cert"), "--sslkey=" + filepath.Join(dir, "key")}, args...)...)
	if status != 0 {
		t.Fatal(stderr)
	}
	s := &tlsServer{t: t, log: newWatched(), config: &tls.Config{RootCAs: a.pool()}, ended: make(chan error, 1)}
	o.stderr, o.timeouts = s.log, limits
	listening := make(chan place, 1)
	o.observer.listening = func(listeners, redirecting []net.Listener) { listening <- placeOf(true, listeners, redirecting) }
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	done := make(chan struct{})
	go func() {
		s.ended <- runServe(ctx, o)
		close(done)
	}()
	t.Cleanup(func() {
		stop()
		<-done
		if t.Failed() {
			t.Logf("the log:\n%s", s.log.text())
		}
	})
	select {
	case place := <-listening:
		s.addr, s.plain = place.Address, place.Redirect
	case <-done:
		t.Fatal("it does not listen:", s.log.text())
	}
	return s
}

func writePair(t *testing.T, dir string, a *authority, serial int64) {
	t.Helper()
	cert, key := a.issue(serial, "127.0.0.1")
	write(t, filepath.Join(dir, "cert"), cert)
	write(t, filepath.Join(dir, "key"), key)
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// open opens a WebSocket.
func (s *tlsServer) open() *websocket.Conn {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	transport := &http.Transport{TLSClientConfig: s.config.Clone()}
	c, _, err := websocket.Dial(ctx, "wss://"+s.addr+"/", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(-1)
	return c
}

// serial is that of the certificate which a handshake shows.
func (s *tlsServer) serial() int64 {
	s.t.Helper()
	c, err := tls.Dial("tcp", s.addr, s.config.Clone())
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func (s *tlsServer) logs(text string) {
	s.t.Helper()
	if s.log.wait(regexp.MustCompile(regexp.QuoteMeta(text)), nil) == nil {
		s.t.Errorf("not in the log: %s", text)
	}
}

// echo sends a message and waits for it. Its error is that of reading, which
// tells why the server has closed.
func echo(ctx context.Context, c *websocket.Conn, message string) error {
	_ = c.Write(ctx, websocket.MessageText, []byte(message))
	_, got, err := c.Read(ctx)
	if err == nil && string(got) != message {
		err = fmt.Errorf("sent %q, got %q", message, got)
	}
	return err
}
