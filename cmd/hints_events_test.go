package cmd

import (
	"bytes"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/process"
)

// The log names the flag that would have helped, and none where none would.
func TestEventHints(t *testing.T) {
	refused := func(rule bridge.Rule, reason, detail, subject, proxy string) bridge.Event {
		return bridge.Refused{Refusal: bridge.Refusal{Rule: rule, Reason: reason, Detail: detail, Subject: subject, Proxy: proxy}}
	}
	closed := func(code int, reason string) bridge.Event {
		return bridge.Closed{Ending: bridge.Ending{Code: code, Reason: reason}, State: new(process.State)}
	}
	for _, test := range []struct {
		event bridge.Event
		want  string
	}{
		{refused(bridge.RuleHost, "unknown host", `"evil.example"`, "evil.example", ""),
			`unknown host "evil.example" (--origin=evil.example allows it)`},
		{refused(bridge.RuleHost, "bad Host header", "", "", ""), "bad Host header"},
		{refused(bridge.RuleOrigin, "origin not allowed", `"http://[2001:db8::1]"`, "http://[2001:db8::1]", ""),
			`origin not allowed "http://[2001:db8::1]" (--origin=http://[2001:db8::1] allows it)`},
		{refused(bridge.RuleOrigin, "origin not allowed", `"*" (it is malformed)`, "", ""), `origin not allowed "*" (it is malformed)`},
		{refused(bridge.RuleForks, "too many sessions", "", "", ""), "too many sessions (--maxforks allows more)"},
		{refused(bridge.RuleAddress, "too many sessions from this address", "192.0.2.1", "192.0.2.1", ""),
			"too many sessions from this address 192.0.2.1 (--maxperip allows more)"},
		{refused(bridge.RuleAddress, "too many sessions from this address", "2001:db8::/64", "2001:db8::/64", "2001:db8::1"),
			"too many sessions from this address 2001:db8::/64 (--maxperip allows more, --trustproxy=2001:db8::1 counts the clients of a proxy there)"},
		{refused(bridge.RuleClients, "too many clients", "", "", ""), "too many clients (--maxclients allows more)"},
		{refused(bridge.RuleSessions, "no more sessions", "", "", ""), "no more sessions (--once serves one)"},
		{refused(bridge.RuleBodySize, "request body over 10 bytes", "", "", ""), "request body over 10 bytes (--maxframesize allows more)"},
		{refused(bridge.RuleNotFound, "not found", "(it is a directory)", "", ""), "not found (it is a directory)"},
		{closed(1009, "message over 1048576 bytes"), "message over 1048576 bytes (--maxframesize allows more)"},
		{closed(1009, "message over 65536 bytes"), "message over 65536 bytes"}, // a limit of the client's
		{closed(1009, "message over 1048576 bytes, which is a lot"), "message over 1048576 bytes, which is a lot"},
		{closed(1009, "too much for me"), "too much for me"},
		{closed(1000, "message over"), "message over"},
	} {
		var b bytes.Buffer
		withHints(1048576, false, newLogger(&b, "debug", "text"))(test.event)
		_, reason, _ := strings.Cut(strings.ReplaceAll(b.String(), `\"`, "'"), `reason="`)
		reason, _, _ = strings.Cut(reason, `"`)
		if got := strings.ReplaceAll(reason, "'", `"`); got != test.want {
			t.Errorf("got %s, want %s, of %s", got, test.want, &b)
		}
	}
}
