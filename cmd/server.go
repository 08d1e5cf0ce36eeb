package cmd

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/listen"
)

// timeouts are how long a server waits for its clients; a zero is the default.
type timeouts struct {
	header time.Duration // 10 s for the head of a request, and again for its body
	stall  time.Duration // 30 s for a client to take anything of an answer
	pages  time.Duration // 2 s for downloads under way when the server ends
}

func (t timeouts) orDefaults() timeouts {
	return timeouts{
		header: cmp.Or(t.header, 10*time.Second),
		stall:  cmp.Or(t.stall, 30*time.Second),
		pages:  cmp.Or(t.pages, 2*time.Second),
	}
}

// newServer serves an open site. With redirects to https, these go to an address.
func newServer(s *openSite, t timeouts, https net.Addr, log *slog.Logger) *webServer {
	t = t.orDefaults()
	return &webServer{
		http: listen.NewServer(s.onion(t, https), t.header, t.stall, log),
		shutdown: func(ctx context.Context) error {
			// Beside the end of the sessions, which must not wait for a log that
			// nobody reads.
			drained := begin(func() {
				s.drain()
				listen.TellSystemd(log, listen.Stopping, "closing the connections")
			})
			err := s.bridge.Shutdown(ctx)
			<-drained
			return err
		},
		pageGrace: t.pages,
		close:     s.close,
	}
}

// runServe serves until a signal or ctx ends it, or a listener fails.
func runServe(ctx context.Context, o *serveOptions) error {
	log := newLogger(o.stderr, o.logLevel, o.logFormat)
	site, err := o.siteOptions.open(o.addresses, o.timeouts.orDefaults().stall/2, log)
	if err != nil {
		return o.misplaced.explain(err)
	}
	defer site.close() // unless serve has closed it
	site.alsoTell(o.observer.event)
	var shown *listen.Credentials
	if o.ssl {
		if shown, err = listen.NewCredentials(o.tlsOptions.files(), o.addresses, log); err != nil {
			return err
		}
	}
	listeners, redirecting, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer listen.CloseAll(listeners)
	defer listen.CloseAll(redirecting)
	var https net.Addr
	if len(redirecting) > 0 {
		https = listeners[0].Addr()
	}
	srv := newServer(site, o.timeouts, https, log)

	// Before the server is announced, because whoever waits for that may send a
	// signal right after it.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, stopSignals()...)
	defer signal.Stop(signals)

	// A log that nobody takes any more must not end the server. Caught, the
	// signal is to children what it always is; ignored, they would inherit that.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)

	// Nor must one that nobody reads keep it from ending.
	select {
	case <-begin(func() {
		o.announceAll(log, listeners, redirecting, shown)
		if o.observer.listening != nil {
			o.observer.listening(listeners, redirecting)
		}
	}):
	case sig := <-signals:
		select {
		case signals <- sig: // for serve, which ends at once
		default: // others have come
		}
	case <-ctx.Done():
	}
	all := slices.Concat(listeners, redirecting)
	if shown != nil {
		for i, ln := range listeners {
			all[i] = shown.Listener(ln)
		}
	}
	if err := site.bridge.Start(); err != nil {
		return err
	}
	if o.once {
		var end context.CancelCauseFunc
		ctx, end = context.WithCancelCause(ctx)
		defer end(nil)
		all = serveOnce(site, all, end)
	}
	return srv.serve(ctx, all, signals)
}

// announceAll prints where the server listens, with the fingerprint of a self-signed
// certificate, and then tells systemd that it is ready. Without TLS shown is nil.
func (o *serveOptions) announceAll(log *slog.Logger, listeners, redirecting []net.Listener, shown *listen.Credentials) {
	o.misplaced.warn(log)
	ws, pages := "ws", "http"
	var notes []slog.Attr
	selfSigned := ""
	if shown != nil {
		ws, pages = "wss", "https"
		selfSigned = shown.Fingerprint()
	}
	if selfSigned != "" {
		notes = append(notes, slog.String("certificate", "self-signed, SHA-256 "+selfSigned))
	}
	socket := o.hasSocket()
	var urls []string
	for _, ln := range listeners {
		if socket {
			urls = append(urls, listen.URL(ws, ln))
		} else {
			urls = append(urls, listen.URL(pages, ln))
		}
		notes := notes // printed with the listener's first line only
		for _, line := range []struct {
			shown        bool
			what, scheme string
		}{
			{socket, "listening on", ws},
			{o.staticDir != "", "serving files at", pages},
			{o.cgiDir != "", "running CGI programs at", pages},
		} {
			if line.shown {
				o.announce(log, line.what, listen.URL(line.scheme, ln), notes...)
				notes = nil
			}
		}
		if o.devConsole {
			o.announce(log, "console at", listen.URL(pages, ln))
		}
	}
	for _, ln := range redirecting {
		o.announce(log, "redirecting from", listen.URL("http", ln))
	}
	if selfSigned != "" {
		log.Warn("browsers will warn about the certificate, which was made for this run; --sslcert and --sslkey set your own")
	}
	for _, ln := range slices.Concat(listeners, redirecting) {
		if !listen.IsLocal(ln) {
			log.Info("other machines can connect", "address", ln.Addr().String())
		}
	}
	listen.TellSystemd(log, listen.Ready, "listening on "+strings.Join(urls, ", "))
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

// announce prints one URL: as a plain line for people, or as a line of the log for
// programs that read that.
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
