package bridge

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// A Handler serves each WebSocket with a process of its own. Only Command
// must be set; every other field's zero value is a sound default. The fields
// must not change once the Handler serves.
type Handler struct {
	// Command is the program that is started for each connection, followed
	// by its arguments. A name without a slash is looked up in PATH.
	Command []string

	// Dir is the child's working directory; empty means the server's own.
	Dir string

	// Env holds variables ("NAME=value") for the child, besides those of
	// CGI. Nothing of the server's own environment is passed on unasked.
	Env []string

	// Framing says how bytes and messages correspond; the zero value is Lines.
	Framing Framing

	// MaxForks is how many children may run at once; a connection over it
	// is refused with 429. Zero means 1024, a negative number no limit.
	MaxForks int

	// MaxMessageSize is how many bytes a message from the client may have,
	// and how many may wait for a child that does not read. A larger
	// message ends the session with 1009. Zero means 1 MiB.
	MaxMessageSize int

	// PingInterval is the time between two pings to a client; one that
	// lets two of them pass without a pong or data is taken for dead. Zero
	// means 30 s, a negative duration sends none.
	PingInterval time.Duration

	// Grace is added to each of the waits at a child's end: 100 ms for it
	// to end by itself, 250 ms after the interrupt signal, 500 ms after
	// the termination signal.
	Grace time.Duration

	// Origins lists the pages, besides the server's own, that may connect
	// from a browser.
	Origins []Origin

	// SameOrigin lets a browser in only from a page of this server's own
	// scheme, host and port, and from Origins.
	SameOrigin bool

	// Hosts lists the names by which the server may be addressed, besides
	// localhost, IP literals and the hosts of Origins. A request with
	// another Host gets 403: a name that an attacker pointed to this
	// machine (DNS rebinding) must not work.
	Hosts []string

	// Plain answers the requests that do not ask for a WebSocket; nil
	// answers them with 426.
	Plain http.Handler

	// ServerSoftware is the CGI variable of that name; empty means wsbridge.
	ServerSoftware string

	// Logger gets a line when a session opens and one when it closes
	// (LevelAccess), the child's stderr line by line (LevelInfo), and what
	// goes wrong; nil discards them.
	Logger *slog.Logger
}

// LevelAccess is the level of the lines that tell of sessions opening and
// closing. It lies below slog.LevelInfo.
const LevelAccess = slog.LevelInfo - 1

// ServeHTTP checks the request, upgrades it and leaves the connection to a
// session, which goes on after ServeHTTP has returned.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
}

// Shutdown refuses new connections with 503, ends every session with close
// code 1001 and its child by the ladder, and waits until all are gone. When
// ctx ends first, the children are killed and the connections dropped at
// once; Shutdown then still waits for the last of them and returns ctx's error.
func (h *Handler) Shutdown(ctx context.Context) error {
	return nil
}
