package bridge

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// A Client is a session the other way round: it dials a WebSocket server and
// attaches local bytes to it. Without a Command these are Stdin and Stdout.
type Client struct {
	// Command is a program to attach, with its arguments; its lines become
	// messages and messages its input. Nil attaches Stdin and Stdout.
	Command []string

	// Stdin and Stdout are what is attached without a Command; nil is the null
	// device. After the end of Stdin, messages are still written to Stdout until
	// the server closes or nothing has come for Linger.
	Stdin  io.Reader
	Stdout io.Writer

	// Linger is how long the client listens on in silence after the end of
	// Stdin, before it closes with 1000. Zero closes at once, and a negative
	// duration leaves it to the server to close.
	Linger time.Duration

	// AnswerTimeout is how long after the end of Stdin the client waits for a
	// message when none has come since it sent one, before it lingers. Then it
	// closes with 1000 and Run returns ErrNoAnswer. Zero does not wait, a
	// negative duration waits without a limit.
	AnswerTimeout time.Duration

	// Framing says how bytes and messages correspond; nil is Lines.
	Framing Framing

	// Header is sent with the handshake (Origin, Authorization, Host …). Headers of
	// the handshake itself are ignored. A redirect to another server, or to the
	// same one without TLS, does not carry any of these. User and password of the
	// URL become an Authorization, unless there is one here.
	Header http.Header

	// Subprotocols are offered to the server, the preferred one first.
	Subprotocols []string

	// Compress offers the server to compress messages, as in Handler.
	Compress bool

	// TLS is used for wss: URLs; nil means the defaults.
	TLS *tls.Config

	// MaxMessageSize, PingInterval and Grace are as in Bounds. When
	// MaxMessageSize is negative, a long message is written to Stdout as it
	// comes; a Command gets it whole.
	MaxMessageSize int
	PingInterval   time.Duration
	Grace          time.Duration

	// Reconnect, if not nil, connects again when the connection is lost. Then a
	// message is handed on when it is whole, whatever its size.
	Reconnect *Reconnect

	// Logger gets the command's stderr and what goes wrong; nil discards it.
	Logger *slog.Logger
}

// A ProxyError is the failure of a proxy that is between a Client and its server.
type ProxyError = wire.ProxyError

// Run connects to url (ws:, wss:, http: or https:) and returns when the session
// is over, with the code and the reason that it was closed with by either side.
// A URL ws+unix:///run/app.sock:/path, or wss+unix:, leads to a unix socket; its
// host is localhost.
//
// The environment may name a proxy, as for package net/http: HTTP_PROXY for ws:,
// HTTPS_PROXY for wss:, and NO_PROXY where there is none. An HTTP proxy is asked for a
// tunnel, by CONNECT, for ws: too; https: and socks5: are other kinds. What TLS says
// of authorities is for a proxy too. A ProxyError is a proxy's failure.
//
// The error is that of a connection that could not be made, or of Stdin or
// Stdout, or ErrNoAnswer. When ctx ends, the session closes with 1001. A read of Stdin that is
// under way when the session ends is left to itself, and so is a write to Stdout
// that blocks 2 s after the end of ctx.
func (c *Client) Run(ctx context.Context, url string) (Ending, error) {
	switch {
	case c.Reconnect == nil:
		return c.runOnce(ctx, url)
	case len(c.Command) > 0 && !c.Reconnect.Resume:
		return c.runEach(ctx, url)
	}
	t, err := c.newTether(ctx, url)
	if err != nil {
		return Ending{}, err
	}
	s := c.newSession(ctx, t)
	if err := c.attach(s, nil); err != nil {
		t.Cut()
		t.conn.Close(wire.Ending(notStarted(err)), closeLimit)
		return Ending{}, err
	}
	t.holds(s.far)
	end, err := c.run(ctx, s)
	if err == nil {
		err = t.life.err
	}
	return end, err
}

// runOnce is a session over one connection.
func (c *Client) runOnce(ctx context.Context, url string) (Ending, error) {
	inPieces := len(c.Command) == 0 && c.MaxMessageSize < 0 && codecOf(c.Framing).inPieces()
	link, err := c.dial(ctx, url, inPieces)
	if err != nil {
		return Ending{}, err
	}
	return c.runOver(ctx, link)
}

// runOver is a session over a connection that has been made.
func (c *Client) runOver(ctx context.Context, link *wire.Conn) (Ending, error) {
	s := c.newSession(ctx, link)
	if err := c.attach(s, link.IsGone); err != nil {
		link.Close(wire.Ending(notStarted(err)), closeLimit)
		return Ending{}, err
	}
	return c.run(ctx, s)
}

// dial makes a connection that offers these subprotocols before the Client's own.
func (c *Client) dial(ctx context.Context, url string, inPieces bool, protocols ...string) (*wire.Conn, error) {
	bounds, trace := c.bounds(), traceOf(ctx)
	var answer *http.Response
	conn, err := wire.Dial(ctx, url, c.Header, c.TLS, wire.Options{
		Answered:       func(r *http.Response) { answer = r },
		Pong:           trace.Pong,
		Subprotocols:   slices.Concat(protocols, protocolsOf(c.Framing), c.Subprotocols),
		Compress:       c.Compress,
		MaxMessageSize: bounds.maxMessageSize(),
		InPieces:       inPieces,
		PingInterval:   bounds.pingInterval(),
	})
	if err != nil {
		return nil, err
	}
	if f, ok := c.Framing.(ClientChannels); ok && !f.agrees(conn.Subprotocol()) {
		conn.Close(wire.Ending{Code: codeNormal}, drainLimit)
		return nil, ErrNoChannels
	}
	if trace.Connected != nil {
		trace.Connected(answer)
	}
	return conn, nil
}

func (c *Client) bounds() *Bounds {
	return &Bounds{MaxMessageSize: c.MaxMessageSize, PingInterval: c.PingInterval}
}

func (c *Client) pings() bool { return c.bounds().pingInterval() > 0 }

// newSession is a session without a far end, which attach attaches.
func (c *Client) newSession(ctx context.Context, link link) *session {
	s := &session{link: link, pings: c.pings(), draining: ctx, killed: context.Background()}
	s.ctx, s.end = context.WithCancelCause(context.WithoutCancel(ctx))
	return s
}

// attach attaches the command or the streams. gone, which may be nil, reports
// whether the server has left.
func (c *Client) attach(s *session, gone func() bool) error {
	limit := c.bounds().backlog()
	if len(c.Command) == 0 {
		own := newOwnStreams(orNull(c.Stdin), writerSink{orDiscard(c.Stdout)}, c.Linger, c.Framing, limit, s.end)
		own.answer = c.AnswerTimeout
		s.far = own
		return nil
	}
	child, err := c.start()
	if err != nil {
		s.end(nil)
		return err
	}
	s.far = newJob(child, c.Framing, limit, gone, voices{c.said, c.said})
	return nil
}

func (c *Client) run(ctx context.Context, s *session) (Ending, error) {
	defer s.end(nil)
	defer context.AfterFunc(ctx, func() { s.end(errGoingAway) })()
	ending, _ := s.run()
	own, ok := s.far.(*ownStreams)
	if !ok {
		return ending, nil
	}
	cause := context.Cause(s.ctx)
	err := own.failure(cause)
	if err == nil && cause == ErrNoAnswer && own.asking.Load() {
		err = ErrNoAnswer
	}
	return ending, err
}

// said logs a line of the command's standard error.
func (c *Client) said(line string) {
	if c.Logger != nil {
		c.Logger.Info("stderr", slog.String("line", line))
	}
}

// start starts the command, with the whole environment: it is our own.
func (c *Client) start() (*process.Process, error) {
	path, err := process.LookPath(c.Command[0])
	if err != nil {
		return nil, err
	}
	return (&process.Command{Path: path, Args: c.Command, Env: os.Environ(), Grace: c.Grace}).Start()
}

// orNull and orDiscard are the null device in the place of nil.
func orNull(r io.Reader) io.Reader {
	if r == nil {
		return http.NoBody
	}
	return r
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// A writerSink feeds a writer, which may block: nothing is written at once.
type writerSink struct{ io.Writer }

func (writerSink) TryWrite([]byte) (int, error) { return 0, nil }
func (writerSink) Close() error                 { return nil }
