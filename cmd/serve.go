package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wsbridge/wsbridge/bridge"
)

// serveOptions is what the command line says of a server.
type serveOptions struct {
	streams
	command []string

	addresses []string
	port      int
	staticDir string

	binary       bool
	maxForks     int
	maxFrameSize int
	closeMS      int
	pingMS       int
	passEnv      []string

	maxPerIP     int // as bridge.Handler.MaxPerAddress
	trustProxies []netip.Prefix
	origins      []bridge.Origin
	sameOrigin   bool
	headers      []headerField
	headersWS    []headerField
	headersHTTP  []headerField

	logLevel  string
	logFormat string
}

// newServeCmd is the root command, which serves a program by calling run.
func newServeCmd(std streams, run func(context.Context, *serveOptions) error) *cobra.Command {
	o := &serveOptions{streams: std}
	var showVersion, showLicense bool
	cmd := &cobra.Command{
		Use:                   "wsbridge [flags] COMMAND [ARG...]",
		Short:                 "turn any program that reads lines and writes lines into a WebSocket server",
		Long:                  serveLong,
		Example:               serveExample,
		Args:                  cobra.ArbitraryArgs,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeCommand,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case showVersion:
				fmt.Fprintln(std.stdout, versionLine())
				return nil
			case showLicense:
				fmt.Fprint(std.stdout, license)
				return nil
			case len(args) == 0:
				return usage(cmd, errors.New("no command to run"))
			}
			if err := o.check(); err != nil {
				return usage(cmd, err)
			}
			o.command = args
			return run(cmd.Context(), o)
		},
	}

	listening := newGroup("Where it listens")
	listening.IntVar(&o.port, "port", 8080, "TCP `port`; 0 picks a free one and says which")
	listening.Var(newList(&o.addresses, parseAddress, "127.0.0.1"), "address", "`address` to listen on, IPv6 with or without brackets; may be repeated")
	listening.StringVar(&o.staticDir, "staticdir", "", "serve the files below `dir` to plain HTTP requests")

	messages := newGroup("The command and its messages")
	messages.BoolVar(&o.binary, "binary", false, "binary messages of whatever bytes there are, instead of lines")
	messages.IntVar(&o.maxForks, "maxforks", 1024, "at most `n` commands at once, 429 over it; 0 for no limit")
	messages.IntVar(&o.maxFrameSize, "maxframesize", 1<<20, "at most `n` bytes a message from the client, 1009 over it")
	messages.IntVar(&o.closeMS, "closems", 0, "add `ms` milliseconds to each wait when a command is ended")
	messages.IntVar(&o.pingMS, "pingms", 30000, "ping clients each `ms` milliseconds, drop those silent for two; 0 for never")
	messages.Var(newList(&o.passEnv, commaSeparated(parseEnvRule), defaultPassEnv(runtime.GOOS)), "passenv",
		"pass on these environment variables (`NAMES`, comma separated); NAME=value sets one, * passes all")

	access := newGroup("Who may connect, and what is answered")
	access.Var(newList(&o.origins, parseOrigins), "origin",
		"let in pages of these `origins` too: [scheme://]host[:port], comma separated; * for any, null for pages opened from disk")
	access.BoolVar(&o.sameOrigin, "sameorigin", false, "let in only pages of this very scheme, host and port")
	access.Var(limitValue{&o.maxPerIP, bridge.DefaultMaxPerAddress}, "maxperip",
		"at most `n` connections at once from an address (IPv6: a /64), 429 over it; 0 for no limit, as for loopback unless this is given")
	access.Var(newList(&o.trustProxies, parseProxies), "trustproxy",
		"believe these `proxies` (addresses and ranges like 10.0.0.0/8, comma separated) whose client it is: X-Forwarded-For, Forwarded")
	access.Var(newList(&o.headers, parseAnswerHeader), "header", "add `'Name: value'` to all answers; may be repeated")
	access.Var(newList(&o.headersWS, parseAnswerHeader), "header-ws", "add `'Name: value'` to the answers to WebSocket handshakes")
	access.Var(newList(&o.headersHTTP, parseAnswerHeader), "header-http", "add `'Name: value'` to the answers to plain requests")

	logs := newGroup("The log, on standard error")
	level := newChoice(&o.logLevel, "access", levelNames...)
	format := newChoice(&o.logFormat, "text", "text", "json")
	logs.Var(level, "loglevel", "log from this `level` on: debug, trace, access, info, error, fatal, none")
	logs.Var(format, "logformat", "`format` of the log: text or json")

	other := newGroup("Other")
	other.BoolVar(&showVersion, "version", false, "print the version")
	other.BoolVar(&showLicense, "license", false, "print the licence")
	other.BoolP("help", "h", false, "print this help")

	groups := []flagGroup{listening, messages, access, logs, other}
	for _, g := range groups {
		cmd.Flags().AddFlagSet(g.FlagSet)
	}
	cmd.Flags().SortFlags = false
	// Flags end where the command begins: the rest is the command's own.
	cmd.Flags().SetInterspersed(false)
	setHelp(cmd, groups)

	must(cmd.MarkFlagDirname("staticdir"))
	must(cmd.RegisterFlagCompletionFunc("loglevel", level.complete))
	must(cmd.RegisterFlagCompletionFunc("logformat", format.complete))
	for _, flag := range []string{"port", "address", "maxforks", "maxframesize", "closems", "pingms", "passenv", "origin", "maxperip", "trustproxy", "header", "header-ws", "header-http"} {
		must(cmd.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions))
	}
	return cmd
}

// must is for errors that only a mistake in this package can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// A flagGroup is a set of flags under one heading of the help.
type flagGroup struct {
	title string
	*pflag.FlagSet
}

func newGroup(title string) flagGroup {
	flags := pflag.NewFlagSet(title, pflag.ContinueOnError)
	flags.SortFlags = false
	return flagGroup{title, flags}
}

// maxMS is the longest time that a flag may give: a day, far from where
// a time.Duration would overflow.
const maxMS = 24 * 60 * 60 * 1000

// check finds the values that no single flag's own parser could refuse.
func (o *serveOptions) check() error {
	switch {
	case o.port < 0 || o.port > 65535:
		return flagProblem("port", o.port, errors.New("must be between 0 and 65535"))
	case o.maxFrameSize < 1:
		return flagProblem("maxframesize", o.maxFrameSize, errors.New("must be at least 1"))
	case o.closeMS < 0 || o.closeMS > maxMS:
		return flagProblem("closems", o.closeMS, fmt.Errorf("must be between 0 and %d", maxMS))
	case o.pingMS > maxMS:
		return flagProblem("pingms", o.pingMS, fmt.Errorf("must be at most %d", maxMS))
	case len(o.addresses) == 0:
		return errors.New("--address: none given")
	}
	return nil
}

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
	if o.staticDir != "" {
		files, close, err := newFiles(o.staticDir)
		if err != nil {
			return err
		}
		defer close()
		h.Plain = files
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
