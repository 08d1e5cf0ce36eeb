package bridge

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/process"
)

// A Handler serves each WebSocket with a process of its own. Only Command or
// CommandDir must be set; every other field's zero value is a sound default.
// The fields must not change once the Handler serves.
type Handler struct {
	// Command is the program that is started for each connection, followed
	// by its arguments. A name without a slash is looked up in PATH.
	Command []string

	// CommandDir holds programs, of which the path of the URL names the one
	// to start, by LookPath; it takes the place of Command. What follows the
	// program in the path is its PATH_INFO. A path that names no file which
	// can be executed (on Windows: .com, .exe, .bat and .cmd) gets 404. The
	// Handler does not close it.
	CommandDir *os.Root

	// Dir is the child's working directory, and that of a relative path in
	// Command; empty means the server's own.
	Dir string

	// Env holds variables ("NAME=value") for the child, besides those of
	// CGI, which it cannot replace; of several with one name the last
	// counts. Nothing of the server's own environment is passed on unasked.
	Env []string

	// Framing says how bytes and messages correspond; the zero value is Lines.
	Framing Framing

	// PassStderr sends the lines of the child's standard error to the
	// client, too, besides logging them. Then each line of either stream is
	// a message of JSON (RFC 8259) that says of which it is:
	//
	//	{"stream":"stderr","data":"the line"}
	//
	// in the order in which they were read. A line over 1 MiB in whose
	// middle the other stream has something to say becomes several
	// messages. It has no effect on Chunks.
	PassStderr bool

	// Subprotocols are those that the server speaks, the preferred one first
	// (RFC 6455, section 1.9); each is a token (RFC 9110, section 5.6.2). The
	// first that a client offers is chosen; the child finds it in
	// WEBSOCKET_PROTOCOL, and all that was offered in
	// HTTP_SEC_WEBSOCKET_PROTOCOL. A client that offers none of these
	// connects without one.
	Subprotocols []string

	// Compress lets clients that offer it (permessage-deflate, RFC 7692)
	// compress messages, and compresses those to them of 512 bytes and more,
	// each by itself. That costs some 10 µs for a message of 1 KB, and 1.2 MB
	// while it is done, but nothing while a session is idle. MaxMessageSize
	// holds for messages as they are when decompressed.
	Compress bool

	// MaxForks is how many children may run at once; a connection over it
	// is refused with 429. Zero means 1024, a negative number no limit.
	MaxForks int

	// MaxSessions is how many sessions there may be in all; a connection over
	// it is refused with 503. A session counts from its handshake on. Zero
	// means no limit.
	MaxSessions int

	// MaxPerAddress is how many sessions one client address may have at
	// once; a connection over it is refused with 429. An IPv6 address counts
	// as its /64, because whoever has one has all of them. Zero means 64, but
	// no limit for peers on this machine (loopback addresses, unix sockets); a
	// positive number holds for them too, a negative one is no limit.
	MaxPerAddress int

	// TrustedProxies are the addresses of the proxies in front of this
	// server. The address of a client that comes through one is the
	// rightmost in X-Forwarded-For or Forwarded (RFC 7239) that is not
	// itself a trusted proxy's; it becomes the RemoteAddr of the request,
	// for Plain too. When these headers are malformed or disagree it stays
	// the proxy's own. From others they are not believed. A proxy at a unix
	// socket has the address 127.0.0.1 here.
	TrustedProxies []netip.Prefix

	// Resolver finds the name of a client's address, for REMOTE_HOST. The
	// session waits for it at most a second. Only a name that resolves to the
	// address again is believed; without one, and without a Resolver, the
	// variable is the address itself (RFC 3875, section 4.1.9).
	Resolver *net.Resolver

	// MaxMessageSize is how many bytes a message from the client may have,
	// and how many may wait for a child that does not read. A larger
	// message ends the session with 1009. The body of a request for a CGI
	// program (ServeCGI) has the same limit. Zero means 1 MiB, a negative
	// number no limit.
	MaxMessageSize int

	// PingInterval is the time between two pings to a client; one that
	// lets two of them pass without a pong or data is taken for dead. Zero
	// means 30 s. A negative duration sends none; then a client that has
	// vanished is noticed only when something is sent to it.
	PingInterval time.Duration

	// Timeout is how long a session may live. Then it is closed with 1001
	// and the reason "session timeout", and its child is ended. Zero means
	// no limit.
	Timeout time.Duration

	// IdleTimeout is how long a session may go on without a message either
	// way. Then it is closed with 1001 and the reason "idle", and its child
	// is ended. A message from the client counts when it has come in whole,
	// one to it when it is sent; pings and pongs do not count. Zero means no
	// limit.
	IdleTimeout time.Duration

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

	// Opened, if not nil, is called when a session begins: after its
	// handshake, before its child is started.
	Opened func()

	// Closed, if not nil, is called when nothing is left of a session, with
	// how its WebSocket was closed and how its child ended; the State is nil
	// when the child could not be started. Shutdown waits for the last call.
	Closed func(Close, *process.State)

	// Logger gets a line when a session opens and one when it closes
	// (LevelAccess), the child's stderr line by line (LevelInfo), and what
	// goes wrong; nil discards them.
	Logger *slog.Logger

	once     sync.Once
	draining context.Context // done with cause errShutdown when Shutdown is called
	drain    context.CancelCauseFunc
	killed   context.Context // done when Shutdown shall wait no longer
	kill     context.CancelFunc

	mu          sync.Mutex
	running     int                    // sessions, from before the upgrade until nothing is left
	begun       int                    // sessions that were let in, running or not
	perAddress  map[netip.Prefix]int   // those of them that MaxPerAddress counts
	generations map[string]*generation // by their program
	closed      bool                   // no more sessions
	gone        chan struct{}          // closed when the last session of a closed Handler is gone
}

// LevelAccess is the level of the lines that tell of sessions opening and
// closing. It lies below slog.LevelInfo.
const LevelAccess = slog.LevelInfo - 1

// The defaults of Handler's fields.
const (
	DefaultMaxForks       = 1024
	DefaultMaxPerAddress  = 64
	DefaultMaxMessageSize = 1 << 20
	DefaultPingInterval   = 30 * time.Second
)

func (h *Handler) init() {
	h.draining, h.drain = context.WithCancelCause(context.Background())
	h.killed, h.kill = context.WithCancel(context.Background())
	h.gone = make(chan struct{})
	if h.Logger == nil {
		h.Logger = slog.New(slog.DiscardHandler)
	}
}

// ServeHTTP checks the request, upgrades it and leaves the connection to a
// session, which goes on after ServeHTTP has returned.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.once.Do(h.init)
	r = h.fromClient(r)
	if !AsksForUpgrade(r) {
		h.servePlain(w, r)
		return
	}
	growStack()
	if refused := h.check(r); refused != nil {
		h.refuse(w, r, refused)
		return
	}
	p, refused := h.program(r)
	if refused != nil {
		h.refuse(w, r, refused)
		return
	}
	who, refused := h.acquire(r, 1)
	if refused != nil {
		h.refuse(w, r, refused)
		return
	}
	r = h.withRemoteHost(r)
	s := h.newSession(r, p)
	if err := s.upgrade(w, r); err != nil {
		h.leave(s.generation)
		h.forget(who)
		h.Logger.Debug("handshake failed", "remote", r.RemoteAddr, "error", err)
		return
	}
	if h.Opened != nil {
		h.Opened()
	}
	id := rand.Text()[:12]
	log := h.Logger.With("id", id)
	child, err := h.start(p, h.environ(r, id, p.vars...))
	if err != nil {
		log.Error("cannot start the command", "command", p.command, "error", err)
		ending := notStarted(err)
		s.refuse(ending)
		if h.Closed != nil {
			h.Closed(ending, nil)
		}
		h.leave(s.generation)
		h.release(who)
		return
	}
	s.child, s.log = child, log
	s.attach(child.Stdout, child.Stdin)
	remote, path := r.RemoteAddr, r.URL.Path
	log.Log(context.Background(), LevelAccess, "open", "remote", remote, "path", path, "pid", child.Pid())
	go h.run(s, who, remote, path) // lets go of this goroutine's stack and of the request
}

// run is a session that has been opened.
func (h *Handler) run(s *session, who netip.Prefix, remote, path string) {
	defer h.release(who)
	defer h.leave(s.generation)
	begin := time.Now()
	ending, state := s.run()
	s.logClose(remote, path, ending, state, time.Since(begin))
	if h.Closed != nil {
		h.Closed(ending, &state)
	}
}

// logClose is not in run, whose stack would grow for it before the session
// has begun.
func (s *session) logClose(remote, path string, ending Close, state process.State, d time.Duration) {
	s.log.Log(context.Background(), LevelAccess, "close", "remote", remote, "path", path, "pid", s.child.Pid(),
		"child", state.String(), "code", ending.Code, "reason", ending.Reason,
		"duration", d.Round(time.Millisecond),
		"messages_in", s.in.messages, "bytes_in", s.in.bytes,
		"messages_out", s.out.messages, "bytes_out", s.out.bytes)
}

func (h *Handler) servePlain(w http.ResponseWriter, r *http.Request) {
	if err := h.checkHost(r); err != nil {
		h.refuse(w, r, err)
		return
	}
	if h.Plain != nil {
		h.Plain.ServeHTTP(w, r)
		return
	}
	h.refuse(w, r, upgradeRequired("this is a WebSocket server: connect with ws:// or wss://"))
}

// refuse answers a request that starts no session.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err *refusal) {
	h.Logger.Info("refused", "remote", r.RemoteAddr, "path", r.URL.Path, "status", err.status, "reason", err.reason+err.remedy)
	for name, value := range err.header {
		if r.ProtoMajor == 1 || name != "Connection" && name != "Upgrade" { // RFC 9113, section 8.2.2
			w.Header()[name] = value
		}
	}
	http.Error(w, err.reason, err.status)
}

// maxMessageSize is the limit of MaxMessageSize, which is never negative.
func (h *Handler) maxMessageSize() int {
	if h.MaxMessageSize < 0 {
		return math.MaxInt
	}
	return cmp.Or(h.MaxMessageSize, DefaultMaxMessageSize)
}
