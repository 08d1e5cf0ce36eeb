package bridge

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"os"
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
	// Stdin, before it closes with 1000. Zero closes at once.
	Linger time.Duration

	// Framing says how bytes and messages correspond; nil is Lines.
	Framing Framing

	// Header is sent with the handshake (Origin, Authorization, Host …).
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

	// Logger gets the command's stderr and what goes wrong; nil discards it.
	Logger *slog.Logger
}

// Run connects to url (ws:, wss:, http: or https:) and returns when the session
// is over, with the code and the reason that it was closed with by either side.
// The error is that of a connection that could not be made, or of Stdin or
// Stdout. When ctx ends, the session closes with 1001. A read of Stdin that is
// under way when the session ends is left to itself, and so is a write to Stdout
// that blocks 2 s after the end of ctx.
func (c *Client) Run(ctx context.Context, url string) (Ending, error) {
	bounds := Bounds{MaxMessageSize: c.MaxMessageSize, PingInterval: c.PingInterval}
	interval := bounds.pingInterval()
	link, err := wire.Dial(ctx, url, c.Header, c.TLS, wire.Options{
		Subprotocols:   c.Subprotocols,
		Compress:       c.Compress,
		MaxMessageSize: bounds.maxMessageSize(),
		InPieces:       len(c.Command) == 0 && c.MaxMessageSize < 0 && codecOf(c.Framing).inPieces(),
		PingInterval:   interval,
	})
	if err != nil {
		return Ending{}, err
	}
	s := &session{link: link, pings: interval > 0, draining: ctx, killed: context.Background()}
	s.ctx, s.end = context.WithCancelCause(context.WithoutCancel(ctx))
	defer s.end(nil)
	var own *ownStreams
	if len(c.Command) == 0 {
		own = newOwnStreams(orNull(c.Stdin), writerSink{orDiscard(c.Stdout)}, c.Linger, c.Framing, bounds.backlog(), s.end)
		s.far = own
	} else {
		child, err := c.start()
		if err != nil {
			link.Close(wire.Ending(notStarted(err)), closeLimit)
			return Ending{}, err
		}
		s.far = newJob(child, c.Framing, bounds.backlog(), link.IsGone, voices{c.said, c.said})
	}
	defer context.AfterFunc(ctx, func() { s.end(errGoingAway) })()
	ending, _ := s.run()
	if own != nil {
		return ending, own.failure(context.Cause(s.ctx))
	}
	return ending, nil
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
