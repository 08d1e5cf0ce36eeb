package cmd

import (
	"context"
	"fmt"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/wsbridge/wsbridge/bridge"
)

// handler is the bridge that the options describe.
func (o *serveOptions) handler(command []string, log *slog.Logger) *bridge.Handler {
	h := &bridge.Handler{
		Command:        command,
		Env:            passedEnv(o.passEnv),
		PassStderr:     o.passStderr,
		Subprotocols:   o.subprotocols,
		Compress:       o.compress,
		MaxForks:       o.maxForks,
		MaxPerAddress:  o.maxPerIP,
		TrustedProxies: o.trustProxies,
		MaxMessageSize: o.maxFrameSize,
		PingInterval:   time.Duration(o.pingMS) * time.Millisecond,
		Timeout:        o.timeout,
		IdleTimeout:    o.idleTimeout,
		Grace:          time.Duration(o.closeMS) * time.Millisecond,
		Origins:        o.origins,
		SameOrigin:     o.sameOrigin,
		Hosts:          o.addresses,
		ServerSoftware: "wsbridge/" + versionName(),
		Logger:         log,
	}
	if o.reverseLookup {
		h.Resolver = net.DefaultResolver
	}
	if o.binary {
		h.Framing = bridge.Chunks
	}
	// To a Handler zero means its default, to the flags it means off.
	if h.MaxForks <= 0 {
		h.MaxForks = -1
	}
	if h.PingInterval <= 0 {
		h.PingInterval = -1
	}
	return h
}

// hasSocket reports whether there is something behind a WebSocket.
func (o *serveOptions) hasSocket() bool { return len(o.command) > 0 || o.commandDir != "" }

// openDirs gives h the directories that the options name.
func (o *serveOptions) openDirs(h *bridge.Handler, dirs *openDirs) (err error) {
	if o.commandDir != "" {
		if h.CommandDir, err = dirs.open("run the programs of", o.commandDir); err != nil {
			return err
		}
	}
	if err := o.routeOptions.open(h, dirs); err != nil {
		return err
	}
	if o.liveReload != "" && (len(h.Command) > 0 || h.CommandDir != nil) {
		dirs.stop = append(dirs.stop, restartOnChange(h, logOf(h)))
	}
	return nil
}

// answers is h, or what stands for it where there is nothing behind a WebSocket.
func (o *serveOptions) answers(h *bridge.Handler) http.Handler {
	if o.hasSocket() {
		return h
	}
	return withoutSocket(h)
}

// headerTimeout is how long the headers of a request may take. Tests shorten it.
var headerTimeout = 10 * time.Second

// newServer serves h to strangers.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           withoutStalls(h),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		// What withoutStalls gives a stream of HTTP/2 ends by a frame, for
		// which a connection that nobody reads has no room.
		HTTP2:    &http.HTTP2Config{WriteByteTimeout: stallTimeout},
		ErrorLog: stdlog.New(httpLog{log}, "", 0),
	}
}

// runServe serves until a signal or ctx ends it, or a listener fails.
func runServe(ctx context.Context, o *serveOptions) error {
	var command []string
	var err error
	if len(o.command) > 0 {
		if command, err = lookCommand(o.command); err != nil {
			return err
		}
	}
	log := newLogger(o.stderr, o.logLevel, o.logFormat)
	h := o.handler(command, log)
	var dirs openDirs
	defer dirs.close()
	if err := o.openDirs(h, &dirs); err != nil {
		return err
	}
	var shown *credentials
	if o.ssl {
		if shown, err = newCredentials(o.tlsOptions, o.addresses, log); err != nil {
			return err
		}
	}
	listeners, redirecting, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	defer closeAll(redirecting)
	handler := o.answers(h)
	if len(redirecting) > 0 {
		handler = byTLS(handler, h.HostChecked(toHTTPS(listeners[0].Addr())))
	}
	srv := newServer(withHeaders(handler, o.headers, o.headersWS, o.headersHTTP), log)

	// Before anybody is told of the server, so that whoever waits for the
	// line below may end the server from then on.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, stopSignals()...)
	defer signal.Stop(signals)

	// A log that nobody takes any more must not end the server. Caught, the
	// signal is to children what it always is; ignored, they would inherit that.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)

	o.announceAll(log, listeners, redirecting, shown)
	if shown != nil {
		for i, ln := range listeners {
			listeners[i] = shown.listener(ln)
		}
	}
	shutdown := func(ctx context.Context) error {
		tellSystemd(log, daemon.SdNotifyStopping, "closing the connections")
		dirs.drain()
		return h.Shutdown(ctx)
	}
	all := slices.Concat(listeners, redirecting)
	if o.once {
		var end context.CancelCauseFunc
		ctx, end = context.WithCancelCause(ctx)
		defer end(nil)
		all = serveOnce(h, all, end)
	}
	return serve(ctx, srv, shutdown, all, signals)
}

// announceAll tells where the server is to be found, and what it shows there,
// which is nil without TLS; last of all it tells systemd.
func (o *serveOptions) announceAll(log *slog.Logger, listeners, redirecting []net.Listener, shown *credentials) {
	ws, pages := "ws", "http"
	var notes []slog.Attr
	if shown != nil {
		ws, pages = "wss", "https"
		if shown.own != nil {
			notes = append(notes, slog.String("certificate", "self-signed, SHA-256 "+fingerprint(shown.own)))
		}
	}
	socket := o.hasSocket()
	var urls []string
	for _, ln := range listeners {
		if socket {
			urls = append(urls, listenURL(ws, ln))
		} else {
			urls = append(urls, listenURL(pages, ln))
		}
		notes := notes // stand on the first line
		for _, line := range []struct {
			shown        bool
			what, scheme string
		}{
			{socket, "listening on", ws},
			{o.staticDir != "", "serving files at", pages},
			{o.cgiDir != "", "running CGI programs at", pages},
		} {
			if line.shown {
				o.announce(log, line.what, listenURL(line.scheme, ln), notes...)
				notes = nil
			}
		}
		if o.devConsole {
			o.announce(log, "console at", listenURL(pages, ln))
		}
	}
	for _, ln := range redirecting {
		o.announce(log, "redirecting from", listenURL("http", ln))
	}
	if shown != nil && shown.own != nil {
		log.Warn("browsers will ask whether to accept the certificate, which is made for this run; --sslcert and --sslkey take another")
	}
	for _, ln := range slices.Concat(listeners, redirecting) {
		if !isLocal(ln) {
			log.Info("other machines can connect", "address", ln.Addr().String())
		}
	}
	tellSystemd(log, daemon.SdNotifyReady, "listening on "+strings.Join(urls, ", "))
}

// stopSignals are those that end a server or a client. The terminal's hangup is
// one, unless it is ignored from the beginning (nohup(1)).
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// announce tells one place: for people by a plain line, for programs that read
// the log by a line of it.
func (o *serveOptions) announce(log *slog.Logger, what, url string, notes ...slog.Attr) {
	switch {
	case o.logFormat == "json":
		args := []any{"url", url}
		for _, n := range notes {
			args = append(args, n)
		}
		logAlways(log, what, args...)
	case o.logLevel != "none":
		line := what + " " + url
		for _, n := range notes {
			line += fmt.Sprintf(" (%s %s)", n.Key, n.Value)
		}
		fmt.Fprintln(o.stderr, line)
	}
}
