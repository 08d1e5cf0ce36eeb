package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

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
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// runServe serves until a signal or ctx ends it, or a listener fails.
func runServe(ctx context.Context, o *serveOptions) error {
	command, err := lookCommand(o.command)
	if err != nil {
		return err
	}
	log := newLogger(o.stderr, o.logLevel, o.logFormat)
	h := o.handler(command, log)
	var rs routes
	if o.staticDir != "" {
		files, close, err := newFiles(o.staticDir)
		if err != nil {
			return err
		}
		defer close()
		rs = append(rs, files)
	}
	if o.devConsole {
		rs = append(rs, newConsole(consoleOptions{binary: o.binary}))
	}
	if len(rs) > 0 {
		h.Plain = rs
	}
	listeners, err := listen(o.addresses, o.port)
	if err != nil {
		return err
	}
	srv := newServer(withHeaders(h, o.headers, o.headersWS, o.headersHTTP), log)

	// Before anybody is told of the server, so that whoever waits for the
	// line below may end the server from then on.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	// A log that nobody takes any more must not end the server. Caught, the
	// signal is to children what it always is; ignored, they would inherit that.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)

	for _, ln := range listeners {
		o.announce(log, "listening on", listenURL("ws", ln))
		if o.staticDir != "" {
			o.announce(log, "serving files at", listenURL("http", ln))
		}
		if o.devConsole {
			o.announce(log, "console at", listenURL("http", ln))
		}
		if !isLoopback(ln) {
			log.Info("other machines can connect", "address", ln.Addr().String())
		}
	}
	return serve(ctx, srv, h.Shutdown, listeners, signals)
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
