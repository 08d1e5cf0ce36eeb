package cmd

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/wsbridge/wsbridge/bridge"
)

// withHints logs events as bridge.LogEvents does, with the flag that would have helped,
// because package bridge knows no flags. A message may have maxMessage bytes, and programs
// may be unbuffered; log may be nil.
func withHints(maxMessage int, unbuffered bool, log *slog.Logger) func(bridge.Event) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	next := bridge.LogEvents(log)
	silent := silentHint
	if unbuffered {
		silent = unbufferedHint
	}
	var upgrades, offers, silences onceEach
	return func(e bridge.Event) {
		switch event := e.(type) {
		case bridge.Refused:
			if hint := hintFor(event.Refusal); hint != "" {
				event.Refusal.Detail = strings.TrimSpace(event.Refusal.Detail + " (" + hint + ")")
				e = event
			}
		case bridge.NotStarted:
			if hint := startHint(event.Err); hint != "" {
				event.Err = fmt.Errorf("%w (%s)", event.Err, hint)
				e = event
			}
		case bridge.Closed:
			if isOverLimit(event.Ending, maxMessage) {
				event.Ending.Reason += " (--maxframesize allows more)"
				e = event
			}
		case bridge.UpgradeLost:
			if upgrades.first(event.Missing) {
				log.Warn("a WebSocket handshake arrived as a plain request: a proxy has dropped part of it",
					"remote", bridge.Foreign(event.Remote), "path", bridge.Foreign(event.Path), "missing", event.Missing, "hint", upgradeHint)
			}
			return
		case bridge.NoSubprotocol:
			offer := strings.Join(event.Offered, ", ")
			if offers.first(offer) {
				log.Warn("a client offered subprotocols, got none and left",
					"id", event.ID, "remote", bridge.Foreign(event.Remote), "path", bridge.Foreign(event.Path), "offered", bridge.Foreign(offer), "hint", subprotocolHint(event.Offered))
			}
			return
		case bridge.Silent:
			if silences.first(event.Program) {
				log.Info("the program has sent nothing since its first input",
					"id", event.ID, "program", event.Program, "pid", event.Pid, "since", event.For, "hint", silent)
			}
			return
		}
		next(e)
	}
}

const (
	upgradeHint = "the proxy must speak HTTP/1.1 and pass on the headers Upgrade and Connection; see wsbridge-deploy(7)"
	silentHint  = "it may be buffering its output: start wsbridge with --unbuffer, or flush after every line; see wsbridge-recipes(7)"

	unbufferedHint = "it may be buffering its output even on a terminal, or its input: flush after every line; see wsbridge-recipes(7)"
)

// subprotocolHint names the flag that would have accepted an offer. What a client wrote
// is for a command line only if a shell sees nothing in it.
func subprotocolHint(offered []string) string {
	for _, name := range offered {
		if len(name) <= 64 && isToken(name) && quoteWord(name) == name {
			return fmt.Sprintf("if the command speaks it, start wsbridge with --subprotocol=%s", name)
		}
	}
	return "name those that the command speaks with --subprotocol"
}

// onceEach tells the first of each cause from the others. Clients can make up causes:
// after mostCauses there is none.
type onceEach struct {
	mu   sync.Mutex
	seen map[string]bool
}

const mostCauses = 32

func (o *onceEach) first(cause string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[cause] || len(o.seen) >= mostCauses {
		return false
	}
	if o.seen == nil {
		o.seen = make(map[string]bool)
	}
	o.seen[cause] = true
	return true
}

// isOverLimit reports whether a connection was closed because of our own limit for
// a message. The other side may use the same code, for a limit of its own.
func isOverLimit(end bridge.Ending, limit int) bool {
	return limit > 0 && end == bridge.Ending{Code: 1009, Reason: fmt.Sprintf("message over %d bytes", limit)}
}

// hintFor names the flag that would have let a request in.
func hintFor(r bridge.Refusal) string {
	switch {
	case (r.Rule == bridge.RuleHost || r.Rule == bridge.RuleOrigin) && r.Subject != "":
		// For a host, one among the addresses would do too, but not for a server
		// at a unix socket or at one that systemd has opened.
		return fmt.Sprintf("--origin=%s allows it", r.Subject)
	case r.Rule == bridge.RuleForks:
		return "--maxforks allows more"
	case r.Rule == bridge.RuleClients:
		return "--maxclients allows more"
	case r.Rule == bridge.RuleAddress && r.Proxy != "":
		return fmt.Sprintf("--maxperip allows more, --trustproxy=%s counts the clients of a proxy there", r.Proxy)
	case r.Rule == bridge.RuleAddress:
		return "--maxperip allows more"
	case r.Rule == bridge.RuleSessions:
		return "--once serves one"
	case r.Rule == bridge.RuleBodySize:
		return "--maxframesize allows more"
	}
	return ""
}
