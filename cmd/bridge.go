package cmd

import (
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
)

// newBridge is the bridge that the options describe: to a command that has been
// found, or to the programs of a directory.
func (o *siteOptions) newBridge(command []string, commands *os.Root, hosts []string, log *slog.Logger) *bridge.Handler {
	h := &bridge.Handler{
		Command:      command,
		CommandDir:   commands,
		Env:          append(passedEnv(o.passEnv), "SERVER_SOFTWARE=wsbridge/"+versionName()),
		Terminal:     o.terminalOptions.value(),
		Subprotocols: o.subprotocols,
		Compress:     o.compress,
		Bounds: bridge.Bounds{
			MaxMessageSize: offIfZero(o.maxFrameSize),
			PingInterval:   offIfZero(time.Duration(o.pingMS) * time.Millisecond),
			Timeout:        o.timeout,
			IdleTimeout:    o.idleTimeout,
			Grace:          time.Duration(o.closeMS) * time.Millisecond,
		},
		Gate: &bridge.Gate{
			Origins:        o.origins,
			SameOrigin:     o.sameOrigin,
			Hosts:          hosts,
			TrustedProxies: o.trustProxies,
		},
		Limits: &bridge.Limits{
			MaxForks:      offIfZero(o.maxForks),
			MaxPerAddress: o.maxPerIP,
			MaxClients:    offIfZero(o.maxClients),
			TakeOver:      o.takeOver,
		},
		Hosting: o.hosting(),
		Events:  withHints(o.maxFrameSize, o.unbuffer, log),
	}
	if o.reverseLookup {
		h.Gate.Resolver = net.DefaultResolver
	}
	h.Framing = o.framingOptions.value()
	if o.passStderr {
		h.Framing = bridge.Tagged{}
	}
	if o.readOnly {
		h.Framing = bridge.ReadOnly{Framing: h.Framing}
	}
	return h
}

// offIfZero makes -1 of zero and below. To a flag they mean off; to a Handler zero
// means its default.
func offIfZero[T int | time.Duration](n T) T {
	if n <= 0 {
		return -1
	}
	return n
}

// withPages is the bridge with pages for plain requests, if there are any.
func (s *openSite) withPages(pages http.Handler) http.Handler {
	s.bridge.Plain = pages
	return s.bridge
}

// limitToOne lets in one session. It calls opened when that begins, if opened is
// not nil, and ended at its end with the exit status.
func (s *openSite) limitToOne(opened func(), ended func(exitStatus)) {
	s.bridge.Limits.MaxSessions = 1
	s.alsoTell(func(e bridge.Event) {
		switch e := e.(type) {
		case bridge.Opened:
			if opened != nil {
				opened()
			}
		case bridge.Closed:
			ended(exitStatusOf(e.State))
		}
	})
}
