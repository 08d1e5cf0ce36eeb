package bridge

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// A Handler serves each WebSocket with a process of its own. Only Command or
// CommandDir must be set; every other field's zero value is a sound default.
// The fields must not change once the Handler serves.
type Handler struct {
	// Command is the program that is started for each connection, followed
	// by its arguments. A name without a slash is looked up in PATH.
	Command []string

	// CommandDir replaces Command: the path of the URL names the program in it that
	// is started (urlfile.LookURL), and the rest of the path is its PATH_INFO. A
	// path that names no executable file (on Windows: .com, .exe, .bat or .cmd) gets
	// 404. The Handler does not close CommandDir.
	CommandDir *os.Root

	// Dir is the child's working directory, and that of a relative path in
	// Command; empty means the server's own.
	Dir string

	// Env holds variables ("NAME=value") for the child, besides those of
	// CGI, of which it can replace SERVER_SOFTWARE alone, which is wsbridge; of
	// several with one name the last counts. Nothing else of the server's own
	// environment is passed on.
	Env []string

	// Terminal says which of its standard streams the program has on a terminal: an
	// Unbuffered, a Pty, or nil, which is none: they are pipes.
	Terminal Terminal

	// Framing says how the program's byte streams and messages correspond; nil
	// is Lines.
	Framing Framing

	// Hosting says which connections a program serves: a Resume, a Share, or nil, with
	// which each connection has a program of its own.
	Hosting Hosting

	// Subprotocols are those that the server speaks, the preferred one first
	// (RFC 6455, section 1.9); each is a token (RFC 9110, section 5.6.2). The
	// first that a client offers is selected; the child finds it in
	// WEBSOCKET_PROTOCOL, and all that was offered in
	// HTTP_SEC_WEBSOCKET_PROTOCOL. A client that offers none of these
	// connects without one.
	Subprotocols []string

	// Compress turns on compression (permessage-deflate, RFC 7692) for clients that
	// offer it. Messages to them are compressed from 512 bytes on, each by itself. That
	// costs some 10 microseconds for a message of 1 KB, and 1.2 MB meanwhile, but
	// nothing while a session is idle. MaxMessageSize applies to decompressed messages.
	Compress bool

	// Bounds limit what one session may use.
	Bounds Bounds

	// Gate decides who may come in. Nil is the zero Gate. Handlers may share one.
	Gate *Gate

	// Limits say how many sessions there may be. Nil means the defaults, for this
	// Handler alone. Handlers that share a Limits share its places.
	Limits *Limits

	// Events, if not nil, is called for each event, for instance to log it
	// (LogEvents). Several goroutines call it at once, and each waits until it
	// returns. Shutdown waits for the last event of a session or CGI
	// program.
	Events func(Event)

	// Plain answers requests that do not ask for a WebSocket; if it is nil, they get
	// 426. The RemoteAddr of these requests is the client's, also behind a trusted
	// proxy.
	Plain http.Handler

	own service
}

// ServeHTTP checks the request, upgrades it and leaves the connection to a
// session, which goes on after ServeHTTP has returned.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := h.admission(r)
	if !AsksForUpgrade(r) {
		h.servePlain(w, a)
		return
	}
	hosting := h.hosting()
	if refused := a.pass(hosting.steps()); refused != nil {
		if refused.Rule == RuleHandshake {
			a.tellUpgradeLost()
		}
		a.refuse(w, refused)
		return
	}
	hosting.open(h, w, a)
}

func (h *Handler) servePlain(w http.ResponseWriter, a *admission) {
	refused := a.pass(toPage)
	switch {
	case refused != nil:
	case h.Plain == nil:
		a.tellUpgradeLost()
		refused = needsWebSocket
	default:
		a.tellUpgradeLost()
		h.Plain.ServeHTTP(w, a.request)
		return
	}
	a.refuse(w, refused)
}

// open makes the handshake and starts the program of a session.
func (h *Handler) open(w http.ResponseWriter, a *admission) {
	info := a.info()
	link, err := wire.Accept(w, a.request, h.ownOptions(a))
	if err != nil {
		h.emit(HandshakeFailed{*info, err})
		a.place.free()
		return
	}
	a.place.begin()
	info.ID = newID()
	h.emit(Opened{*info})
	child, err := a.start(a.environ(info.ID))
	if err != nil {
		h.notStarted(link, a, info, err)
		return
	}
	info.Pid = child.Pid()
	h.emit(Started{*info})
	j := newJob(child, h.Framing, h.Bounds.backlog(), link.IsGone, h.voicesOf(info))
	j.place = a.place
	s := h.newSession(a.ctx, link, j)
	s.quiet.tell = h.silent(info)
	s.offer.names = a.unanswered()
	go h.run(s, a.place, info) // lets go of this goroutine's stack and of the request
}

// options are those of a connection.
func (h *Handler) options(a *admission) wire.Options {
	o := wire.Options{
		Subprotocols:   []string{a.subprotocol()},
		Compress:       h.Compress,
		MaxMessageSize: h.Bounds.maxMessageSize(),
		PingInterval:   h.Bounds.pingInterval(),
	}
	if h.Terminal != nil {
		o.SendBuffer = h.Terminal.sendBuffer()
	}
	return o
}

// ownOptions are those of a client whose close ends the input of its program, which may
// answer then.
func (h *Handler) ownOptions(a *admission) wire.Options {
	o := h.options(a)
	o.AnswerAfter = min(process.Courtesy(h.Bounds.Grace), answerLimit)
	return o
}

// notStarted closes a WebSocket that gets no program.
func (h *Handler) notStarted(link *wire.Conn, a *admission, info *Info, err error) {
	h.emit(NotStarted{Info: *info, Command: a.program.command, Err: err})
	a.place.programGone()
	limit := closeLimit
	if a.ctx.Err() != nil {
		limit = drainLimit
	}
	stop := context.AfterFunc(h.service().killed, link.Cut)
	ending := link.Close(wire.Ending(notStarted(err)), limit)
	stop()
	h.emit(Closed{Info: *info, Ending: Ending(ending)})
	a.place.free()
}

// newSession joins a link and a far end. It ends with ctx. Only a drain hurries
// its client: the tail of a program that has ended is not for a restart to cut.
func (h *Handler) newSession(ctx context.Context, link link, far farEnd) *session {
	s := &session{
		link:     link,
		far:      far,
		pings:    h.Bounds.pingInterval() > 0,
		life:     lifetime{limit: h.Bounds.Timeout},
		idle:     idleness{limit: h.Bounds.IdleTimeout, began: time.Now()},
		draining: h.service().draining,
		killed:   h.service().killed,
	}
	s.ctx, s.end = context.WithCancelCause(ctx)
	return s
}

// run is a session that has been opened.
func (h *Handler) run(s *session, place *place, info *Info) {
	defer place.free()
	begin := time.Now()
	ending, state := s.run()
	h.closed(s, info, ending, state, time.Since(begin))
}

// closed reports the end of a session.
func (h *Handler) closed(s *session, info *Info, ending Ending, state process.State, d time.Duration) {
	info.In, info.Out = Traffic(s.link.Received()), Traffic(s.link.Sent())
	h.tellUnanswered(s, info, ending)
	h.emit(Closed{Info: *info, Ending: ending, State: &state, Duration: d})
}
