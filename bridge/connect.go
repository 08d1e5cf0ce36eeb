package bridge

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/wsbridge/wsbridge/process"
)

// A Client is a session the other way round: it dials a WebSocket server and
// attaches local bytes to it. Without a Command these are Stdin and Stdout.
type Client struct {
	// Command is a program to attach, with its arguments; its lines become
	// messages and messages its input. Nil attaches Stdin and Stdout.
	Command []string

	// Stdin and Stdout are what is attached without a Command. After the
	// end of Stdin, messages are still written to Stdout until the server
	// closes or nothing has come for Linger.
	Stdin  io.Reader
	Stdout io.Writer

	// Linger is how long the client listens on in silence after the end of
	// Stdin, before it closes with 1000. Zero closes at once.
	Linger time.Duration

	// Framing says how bytes and messages correspond; the zero value is Lines.
	Framing Framing

	// Header is sent with the handshake (Origin, Authorization, Host …).
	Header http.Header

	// Subprotocols are offered to the server, the preferred one first.
	Subprotocols []string

	// Compress offers the server to compress messages, as in Handler.
	Compress bool

	// TLS is used for wss: URLs; nil means the defaults.
	TLS *tls.Config

	// MaxMessageSize, PingInterval and Grace are as in Handler.
	MaxMessageSize int
	PingInterval   time.Duration
	Grace          time.Duration

	// Logger gets the command's stderr and what goes wrong; nil discards it.
	Logger *slog.Logger
}

// Run connects to url (ws:, wss:, http: or https:) and returns when the
// session is over, with the code and the reason that it was closed with by
// either side. The error is that of a connection that could not be made, or
// of Stdin or Stdout.
// When ctx ends, the session closes with 1001. A read of Stdin that is under
// way when the session ends is left to itself, and so is a write to Stdout
// that blocks 2 s after the end of ctx.
func (c *Client) Run(ctx context.Context, url string) (Close, error) {
	s := &session{
		framing:        c.Framing,
		compress:       c.Compress,
		maxMessageSize: cmp.Or(c.MaxMessageSize, DefaultMaxMessageSize),
		pingInterval:   cmp.Or(c.PingInterval, DefaultPingInterval),
		linger:         c.Linger,
		draining:       ctx,
		killed:         context.Background(),
		log:            c.Logger,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.ctx, s.end = context.WithCancelCause(context.WithoutCancel(ctx))
	defer s.end(nil)
	if err := s.dial(ctx, c, url); err != nil {
		return Close{}, err
	}
	if c.Command == nil {
		s.attach(c.Stdin, writerSink{c.Stdout})
	} else {
		child, err := c.start()
		if err != nil {
			s.refuse(notStarted(err))
			return Close{}, err
		}
		s.child = child
		s.attach(child.Stdout, child.Stdin)
	}
	defer context.AfterFunc(ctx, func() { s.end(errGoingAway) })()
	ending, _ := s.run()
	return ending, s.localFailure()
}

// localFailure is what has failed of our own input and output, also when it
// did so after the server had closed.
func (s *session) localFailure() error {
	if err, ok := errors.AsType[*localError](context.Cause(s.ctx)); ok {
		return err
	}
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	if s.child == nil && s.feed.err != nil {
		return &localError{"write output", s.feed.err}
	}
	return nil
}

// start starts the command, with the whole environment: it is our own.
func (c *Client) start() (*process.Process, error) {
	path, err := exec.LookPath(c.Command[0])
	if err != nil {
		return nil, err
	}
	return (&process.Command{Path: path, Args: c.Command, Env: os.Environ(), Grace: c.Grace}).Start()
}

// dialLimit is how long the handshake may take.
const dialLimit = 30 * time.Second

// dial makes the handshake and puts the session's conn under the WebSocket.
func (s *session) dial(ctx context.Context, c *Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = c.TLS
	t.ForceAttemptHTTP2 = false // a WebSocket is an upgrade of HTTP/1.1
	t.DisableKeepAlives = true  // a refusal is the end
	defer t.CloseIdleConnections()
	header := c.Header.Clone()
	host := header.Get("Host")
	header.Del("Host")
	ws, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: upgrader{t, s}, CheckRedirect: fewRedirects},
		HTTPHeader:   header,
		Host:         host,
		Subprotocols: c.Subprotocols,

		CompressionMode: compressionMode(s.compress),
		OnPingReceived:  s.answer,
		OnPongReceived:  s.pong,
	})
	if err != nil && s.conn != nil {
		s.conn.cut() // a 101 that the library did not like
	}
	if err != nil && resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		// Its own words for the status could steer a terminal.
		status := strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
		return fmt.Errorf("%s: the server answered %s: %q", url, status, bytes.TrimSpace(text))
	}
	if err != nil {
		return err
	}
	s.ws = ws
	s.ws.SetReadLimit(-1) // readMessage has the limit
	s.compresses(resp.Header)
	if s.compress && !strings.Contains(resp.Header.Get("Sec-Websocket-Extensions"), "server_no_context_takeover") {
		s.conn.cut()
		_ = s.ws.CloseNow()
		return fmt.Errorf("%s: the server wants to compress in another way than was offered", url) // RFC 7692, section 7.1.1.1
	}
	return nil
}

// fewRedirects stops where http.Client does by itself: with a function from
// us, or from the library, it no longer does.
func fewRedirects(_ *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects")
	}
	return nil
}

// An upgrader makes the handshake by its transport and gives the library the
// session's conn in place of the transport's.
type upgrader struct {
	*http.Transport
	session *session
}

func (u upgrader) RoundTrip(r *http.Request) (*http.Response, error) {
	var nc net.Conn
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { nc = info.Conn }}
	resp, err := u.Transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return resp, err
	}
	// What the server has sent already is in the body's buffer.
	c := u.session.setConn(nc, resp.Body, nil)
	c.masked, c.frames.fromServer = true, true
	resp.Body = c
	return resp, nil
}

// A writerSink feeds a writer, which may block: nothing is written at once.
type writerSink struct{ io.Writer }

func (writerSink) TryWrite([]byte) (int, error) { return 0, nil }
func (writerSink) Close() error                 { return nil }
