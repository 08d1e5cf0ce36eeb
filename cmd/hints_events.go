package cmd

import (
	"fmt"
	"strings"

	"github.com/wsbridge/wsbridge/bridge"
)

// withHints adds to what next is told the flag that would have helped: package
// bridge knows no flags.
func withHints(next func(bridge.Event)) func(bridge.Event) {
	return func(e bridge.Event) {
		switch event := e.(type) {
		case bridge.Refused:
			if hint := hintFor(event.Refusal); hint != "" {
				event.Refusal.Detail = strings.TrimSpace(event.Refusal.Detail + " (" + hint + ")")
				e = event
			}
		case bridge.Closed:
			// A client may close with this code too, for reasons of its own.
			if event.Ending.Code == 1009 && strings.HasPrefix(event.Ending.Reason, "message over ") {
				event.Ending.Reason += " (--maxframesize allows more)"
				e = event
			}
		}
		next(e)
	}
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
