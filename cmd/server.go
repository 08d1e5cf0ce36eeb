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
	"runtime/debug"
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
		MaxForks:       o.maxForks,
		MaxPerAddress:  o.maxPerIP,
		TrustedProxies: o.trustProxies,
		MaxMessageSize: o.maxFrameSize,
		PingInterval:   time.Duration(o.pingMS) * time.Millisecond,
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

// headerTimeout is how long the headers of a request may take. Tests shorten it.
var headerTimeout = 10 * time.Second

// newServer serves h to strangers.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           withoutStalls(h),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          stdlog.New(httpLog{log}, "", 0),
	}
}

// gcPercent lets the garbage collector run earlier than by default (GOGC=100).
// A message makes no garbage, but the handshake of a connection leaves more
// than the connection holds afterwards: with this a thousand idle connections
// take a tenth less memory, and nothing is slower.
const gcPercent = 50

// runServe serves until a signal or ctx ends it, or a listener fails.
func runServe(ctx context.Context, o *serveOptions) error {
	command, err := lookCommand(o.command)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	log := newLogger(o.stderr, o.logLevel, o.logFormat)
	h := o.handler(command, log)
	if o.staticDir != "" {
		files, close, err := newFiles(o.staticDir)
		if err != nil {
			return err
		}
		defer close()
		h.Plain = files
	}
	listeners, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	srv := newServer(withHeaders(h, o.headers, o.headersWS, o.headersHTTP), log)

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

	var urls []string
	for _, ln := range listeners {
		urls = append(urls, listenURL("ws", ln))
		o.announce(log, "listening on", listenURL("ws", ln))
		if o.staticDir != "" {
			o.announce(log, "serving files at", listenURL("http", ln))
		}
		if !isLocal(ln) {
			log.Info("other machines can connect", "address", ln.Addr().String())
		}
	}
	tellSystemd(log, daemon.SdNotifyReady, "listening on "+strings.Join(urls, ", "))
	shutdown := func(ctx context.Context) error {
		tellSystemd(log, daemon.SdNotifyStopping, "closing the connections")
		return h.Shutdown(ctx)
	}
	return serve(ctx, srv, shutdown, listeners, signals)
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

// announce tells where the server is to be found: for people a plain line,
// for programs that read the log a line of it.
func (o *serveOptions) announce(log *slog.Logger, what, url string) {
	switch {
	case o.logFormat == "json":
		logAlways(log, what, "url", url)
	case o.logLevel != "none":
		fmt.Fprintln(o.stderr, what, url)
	}
}
