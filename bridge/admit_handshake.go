package bridge

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// AsksForUpgrade reports whether a request asks for a WebSocket, well-formed or not. A
// Handler answers such requests itself and passes them to no other handler.
func AsksForUpgrade(r *http.Request) bool { return wire.HasToken(r.Header, "Upgrade", "websocket") }

var (
	needsHTTP11 = upgradeRequired(RuleHandshake, "a WebSocket needs HTTP/1.1")
	needsGET    = &Refusal{Status: http.StatusMethodNotAllowed, Rule: RuleHandshake, Reason: "a WebSocket handshake is a GET",
		header: http.Header{"Allow": {http.MethodGet}}}
	needsConnection = badHandshake("Connection: Upgrade is missing")
	needsVersion13  = upgradeRequired(RuleHandshake, "only version 13 of the WebSocket protocol is supported")
	needsKey        = badHandshake("Sec-WebSocket-Key is not 16 bytes in base64")
	needsNoBody     = badHandshake("a WebSocket handshake has no body")
	needsNoNUL      = badHandshake("the path contains a NUL")
	needsWebSocket  = upgradeRequired(RulePlain, "this is a WebSocket server: connect with ws:// or wss://")
)

// upgradeLost is what a proxy has dropped of an opening handshake, which no page can
// forge: a header, or the version of HTTP. It is empty for other requests, and for a
// handshake that is whole.
func upgradeLost(r *http.Request) string {
	if r.Header["Sec-Websocket-Key"] == nil || r.Method != http.MethodGet || r.ProtoMajor != 1 {
		return ""
	}
	switch {
	case !AsksForUpgrade(r):
		return "Upgrade"
	case !r.ProtoAtLeast(1, 1):
		return "HTTP/1.1"
	case !wire.HasToken(r.Header, "Connection", "upgrade"):
		return "Connection"
	}
	return ""
}

// tellUpgradeLost reports a handshake that a proxy has spoiled, if there is a program
// that it could start.
func (a *admission) tellUpgradeLost() {
	h := a.handler
	if missing := upgradeLost(a.request); missing != "" && (len(h.Command) > 0 || h.CommandDir != nil) {
		h.emit(UpgradeLost{Info{Remote: a.request.RemoteAddr, Path: a.request.URL.Path}, missing})
	}
}

// checkHandshake checks the client's opening handshake (RFC 6455, section
// 4.2.1), so that a bad one starts nothing.
func (a *admission) checkHandshake() *Refusal {
	if a.asking {
		return nil
	}
	r := a.request
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	switch {
	case r.ProtoMajor != 1 || !r.ProtoAtLeast(1, 1):
		return needsHTTP11
	case r.Method != http.MethodGet:
		return needsGET
	case !wire.HasToken(r.Header, "Connection", "upgrade"):
		return needsConnection
	case r.Header.Get("Sec-Websocket-Version") != "13":
		return needsVersion13
	case err != nil || len(key) != 16 || len(r.Header.Values("Sec-Websocket-Key")) != 1:
		return needsKey
	case r.ContentLength != 0:
		return needsNoBody // it would be read as frames
	case strings.ContainsRune(r.URL.Path, 0):
		return needsNoNUL // no environment could hold it
	}
	return nil
}

func badHandshake(reason string) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Rule: RuleHandshake, Reason: reason}
}

// upgradeRequired is a 426, which must say what to upgrade to (RFC 9110,
// section 15.5.22; RFC 6455, section 4.4).
func upgradeRequired(rule Rule, reason string) *Refusal {
	return &Refusal{Status: http.StatusUpgradeRequired, Rule: rule, Reason: reason, header: http.Header{
		"Connection":            {"Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-Websocket-Version": {"13"},
	}}
}
