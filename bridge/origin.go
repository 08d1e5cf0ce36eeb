package bridge

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// A refusal is the answer to a request that starts no session.
type refusal struct {
	status int
	reason string      // for the client
	remedy string      // for the log: what would let it in
	header http.Header // in addition
}

func (r *refusal) Error() string { return r.reason }

// AsksForUpgrade reports whether a request wants to be a WebSocket, be it in
// the right way or not: a Handler answers it itself and passes it to no other.
func AsksForUpgrade(r *http.Request) bool { return hasToken(r.Header, "Upgrade", "websocket") }

// check is what stands before the upgrade, in this order: the handshake, the
// host, the origin.
func (h *Handler) check(r *http.Request) *refusal {
	if err := checkHandshake(r); err != nil {
		return err
	}
	if err := h.checkHost(r); err != nil {
		return err
	}
	return h.checkOrigin(r)
}

// checkHandshake checks the client's opening handshake (RFC 6455, section
// 4.2.1), so that a bad one starts nothing.
func checkHandshake(r *http.Request) *refusal {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	switch {
	case r.ProtoMajor != 1 || !r.ProtoAtLeast(1, 1):
		return upgradeRequired("a WebSocket needs HTTP/1.1")
	case r.Method != http.MethodGet:
		return &refusal{status: http.StatusMethodNotAllowed, reason: "a WebSocket handshake is a GET",
			header: http.Header{"Allow": {http.MethodGet}}}
	case !hasToken(r.Header, "Connection", "upgrade"):
		return &refusal{status: http.StatusBadRequest, reason: "Connection: Upgrade is missing"}
	case r.Header.Get("Sec-Websocket-Version") != "13":
		return upgradeRequired("only version 13 of the WebSocket protocol is supported")
	case err != nil || len(key) != 16 || len(r.Header.Values("Sec-Websocket-Key")) != 1:
		return &refusal{status: http.StatusBadRequest, reason: "Sec-WebSocket-Key is not 16 bytes in base64"}
	case r.ContentLength != 0:
		return &refusal{status: http.StatusBadRequest, reason: "a WebSocket handshake has no body"} // it would be read as frames
	case strings.ContainsRune(r.URL.Path, 0):
		return &refusal{status: http.StatusBadRequest, reason: "the path contains a NUL"} // no environment could hold it
	}
	return nil
}

// upgradeRequired is a 426, which must say what to upgrade to (RFC 9110,
// section 15.5.22; RFC 6455, section 4.4).
func upgradeRequired(reason string) *refusal {
	return &refusal{status: http.StatusUpgradeRequired, reason: reason, header: http.Header{
		"Connection":            {"Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-Websocket-Version": {"13"},
	}}
}

// hasToken reports whether a comma-separated header lists a token.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for t := range strings.SplitSeq(line, ",") {
			// To EqualFold the Kelvin sign is a k: the token is ASCII.
			if t = strings.TrimSpace(t); len(t) == len(token) && strings.EqualFold(t, token) {
				return true
			}
		}
	}
	return false
}

// An Origin is a rule for pages that may connect: [scheme://]host[:port]. An
// empty scheme or port stands for any; the zero Origin for no page.
type Origin struct{ scheme, host, port string }

// The rules that are no hosts. A page of a host that is called null has a
// scheme, so that it is neither.
var (
	anyPage  = Origin{host: "*"}
	nullPage = Origin{host: "null"}
)

// ParseOrigin reads one rule: [scheme://]host[:port] (without a scheme either,
// without a port any), "*" for every page, "null" for pages opened from disk
// and others that browsers give no origin.
func ParseOrigin(s string) (Origin, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "*":
		return anyPage, nil
	case strings.EqualFold(s, "null"), s == "file://": // some WebKits, and libraries for small devices
		return nullPage, nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "", s
	} else if scheme == "" || !consistsOf(scheme, alphanumeric+"+-.") { // RFC 3986, section 3.1
		return Origin{}, fmt.Errorf("origin %q has no scheme before ://", s)
	}
	host, port, err := splitHost(rest)
	if err != nil {
		return Origin{}, fmt.Errorf("origin %q is not [scheme://]host[:port]: %w", s, err)
	}
	return Origin{strings.ToLower(scheme), host, port}, nil
}

// String is the rule as ParseOrigin reads it.
func (o Origin) String() string {
	s := o.host
	if strings.Contains(s, ":") {
		s = "[" + s + "]"
	}
	if o.port != "" {
		s += ":" + o.port
	}
	if o.scheme != "" {
		s = o.scheme + "://" + s
	}
	return s
}

// matches reports whether the rule, which is not anyPage, lets a page in.
func (o Origin) matches(page Origin) bool {
	if o == nullPage || page == nullPage {
		return o == page
	}
	return o.host == page.host &&
		(o.scheme == "" || o.scheme == page.scheme) &&
		(o.port == "" || o.port == page.effectivePort())
}

// effectivePort is the port, or the scheme's own.
func (o Origin) effectivePort() string {
	switch {
	case o.port != "":
		return o.port
	case o.scheme == "https" || o.scheme == "wss":
		return "443"
	default:
		return "80"
	}
}

var errHost = errors.New("bad host")

// splitHost reads host[:port] into a canonical form: lower case, no trailing
// dot, no brackets, addresses as net/netip writes them, without a zone. A name
// is in ASCII, as browsers send it (a rule in Unicode would match nothing).
func splitHost(s string) (host, port string, err error) {
	host = s
	if h, p, err := net.SplitHostPort(s); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil {
			return "", "", errHost
		} else {
			port = strconv.FormatUint(n, 10)
		}
		host = h
	} else if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		host = s[1 : len(s)-1]
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().WithZone("").String(), port, nil
	}
	host = strings.TrimSuffix(host, ".")
	emptyLabel := strings.Contains("."+host+".", "..")
	if emptyLabel || strings.HasPrefix(s, "[") || !consistsOf(host, alphanumeric+"-._") {
		return "", "", errHost
	}
	return strings.ToLower(host), port, nil
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// consistsOf reports whether s has no other bytes than those.
func consistsOf(s, those string) bool { return strings.Trim(s, those) == "" }

func isLoopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") // RFC 6761, section 6.3
}

// requestHost is the host and perhaps the port that a request names; one that
// is empty is none (RFC 3986, section 6.2.3).
func requestHost(r *http.Request) string {
	host, empty := strings.CutSuffix(r.Host, ":")
	if empty && strings.Contains(host, ":") && !strings.HasSuffix(host, "]") {
		return r.Host // the colon is part of what is no address
	}
	return host
}

// checkHost lets in requests that name this server by an address or by a
// name that is known to be its own, and no others: a page of a name that an
// attacker has pointed here (DNS rebinding) would be of the same origin.
func (h *Handler) checkHost(r *http.Request) *refusal {
	host, _, err := splitHost(requestHost(r))
	if err != nil {
		return &refusal{status: http.StatusBadRequest, reason: "bad Host header"}
	}
	if _, err := netip.ParseAddr(host); err == nil || isLoopback(host) {
		return nil
	}
	for _, name := range h.Hosts {
		if own, _, err := splitHost(name); err == nil && own == host {
			return nil
		}
	}
	for _, o := range h.Origins {
		if o == anyPage || o != nullPage && o.host == host {
			return nil
		}
	}
	return &refusal{
		status: http.StatusForbidden,
		reason: "unknown host",
		// The name among the addresses would do too, but not for a server at a
		// unix socket or at one that systemd has opened.
		remedy: fmt.Sprintf(" %q (--origin=%s allows it)", host, host),
	}
}

// HostChecked serves next to the requests whose Host is one of this server's
// (see Hosts) and refuses the others as the Handler itself does.
func (h *Handler) HostChecked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.once.Do(h.init)
		r = h.fromClient(r)
		if err := h.checkHost(r); err != nil {
			h.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkOrigin lets in whoever is no browser, and browsers from the pages of
// this server and of the rules. A browser sends Origin with every handshake
// (RFC 6455, section 4.1), and sends cookies and reaches addresses that a
// stranger's page must not use.
func (h *Handler) checkOrigin(r *http.Request) *refusal {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return nil
	}
	if len(origins) > 1 {
		return &refusal{status: http.StatusBadRequest, reason: "several Origin headers"}
	}
	page, err := parsePage(origins[0])
	if err == nil && h.isOwnPage(r, page) {
		return nil
	}
	for _, o := range h.Origins {
		if o == anyPage || err == nil && o.matches(page) {
			return nil
		}
	}
	// What the client wrote is not for a command line that somebody copies
	// from the log, but the canonical form is.
	remedy := fmt.Sprintf(" %q (--origin=%s allows it)", page, page)
	if err != nil {
		remedy = fmt.Sprintf(" %q (it is malformed)", origins[0])
	}
	return &refusal{status: http.StatusForbidden, reason: "origin not allowed", remedy: remedy}
}

// parsePage reads an Origin header (RFC 6454, section 6.1).
func parsePage(s string) (Origin, error) {
	page, err := ParseOrigin(s)
	if err == nil && page.scheme == "" && page != nullPage {
		err = errHost
	}
	return page, err
}

// isOwnPage reports whether a page comes from this server, as the Host header
// names it, or, where only the machine matters, from the same machine.
func (h *Handler) isOwnPage(r *http.Request, page Origin) bool {
	host, port, err := splitHost(requestHost(r))
	if err != nil || page == nullPage {
		return false
	}
	if !h.SameOrigin {
		if isLoopback(host) && isLoopback(page.host) {
			return true
		}
		// A proxy in front may have ended TLS: a host without a port has
		// the default one of the page's scheme.
		return host == page.host && Origin{scheme: page.scheme, port: port}.effectivePort() == page.effectivePort()
	}
	own := Origin{"http", host, port}
	if r.TLS != nil {
		own.scheme = "https"
	}
	return own.scheme == page.scheme && own.host == page.host && own.effectivePort() == page.effectivePort()
}
