package cmd

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/wsbridge/wsbridge/bridge"
)

// withHints logs events as bridge.LogEvents does, with the flag that would have helped,
// because package bridge knows no flags. A message may have maxMessage bytes.
func withHints(maxMessage int, log *slog.Logger) func(bridge.Event) {
	next := bridge.LogEvents(log)
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
		}
		next(e)
	}
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
