package bridge

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"time"
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
// either side. The error is that of a connection that could not be made.
// When ctx ends, the session closes with 1001.
func (c *Client) Run(ctx context.Context, url string) (Close, error) { return Close{}, nil }
