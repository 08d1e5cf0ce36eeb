package bridge

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// A Gate decides who may come in: which pages, by which names, through which
// proxies. Handlers may share one. The fields must not change once it is used.
type Gate struct {
	// Origins lists the pages, besides the server's own, that may connect
	// from a browser.
	Origins []Origin

	// SameOrigin lets a browser in only from a page of this server's own
	// scheme, host and port, and from Origins.
	SameOrigin bool

	// Hosts lists the names by which the server may be addressed, besides
	// localhost, IP literals and the hosts of Origins. A request with
	// another Host gets 403: a name that an attacker pointed to this
	// machine (DNS rebinding) must not work.
	Hosts []string

	// TrustedProxies are the addresses of the proxies in front of this
	// server. The address of a client that comes through one is the
	// rightmost in X-Forwarded-For or Forwarded (RFC 7239) that is not
	// itself a trusted proxy's; it becomes the RemoteAddr of the request,
	// for Plain too. If these headers are malformed or disagree, the proxy's own
	// address is used. From others they are ignored. A proxy at a unix socket has
	// the address 127.0.0.1 here.
	TrustedProxies []netip.Prefix

	// Resolver finds the name of a client's address, for REMOTE_HOST. The
	// session waits for it at most a second. Only a name that resolves to the
	// address again is believed; without one, and without a Resolver, the
	// variable is the address itself (RFC 3875, section 4.1.9).
	Resolver *net.Resolver
}

var defaultGate Gate

func (h *Handler) gate() *Gate {
	if h.Gate == nil {
		return &defaultGate
	}
	return h.Gate
}

// HostChecked serves next to the requests whose Host is one of this server's
// (see Hosts) and refuses the others as a Handler itself does. It calls events, if
// that is not nil, for each refusal.
func (g *Gate) HostChecked(next http.Handler, events func(Event)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, r = g.client(r)
		if refused := g.checkHost(r); refused != nil {
			refused.answer(w, r, events)
			return
		}
		next.ServeHTTP(w, r)
	})
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

var (
	badHost        = &Refusal{Status: http.StatusBadRequest, Rule: RuleHost, Reason: "bad Host header"}
	severalOrigins = &Refusal{Status: http.StatusBadRequest, Rule: RuleOrigin, Reason: "several Origin headers"}
)

// checkHost lets in requests that name this server by an address or by a
// name that is known to be its own, and no others: a page of a name that an
// attacker has pointed here (DNS rebinding) would be of the same origin.
func (g *Gate) checkHost(r *http.Request) *Refusal {
	host, _, err := splitHost(requestHost(r))
	if err != nil {
		return badHost
	}
	if _, err := netip.ParseAddr(host); err == nil || isLoopback(host) {
		return nil
	}
	for _, name := range g.Hosts {
		if own, _, err := splitHost(name); err == nil && own == host {
			return nil
		}
	}
	for _, o := range g.Origins {
		if o == anyPage || o != nullPage && o.isHost(host) {
			return nil
		}
	}
	return &Refusal{
		Status: http.StatusForbidden, Rule: RuleHost, Reason: "unknown host",
		Detail: quoted(host), Subject: subject(host),
	}
}

// subject is the Subject of a refusal. What is longer than any name cannot be let in.
func subject(name string) string {
	if len(name) > maxForeign {
		return ""
	}
	return name
}

// checkOrigin lets in whoever is no browser, and browsers from the pages of
// this server and of the rules. A browser sends Origin with every handshake
// (RFC 6455, section 4.1), and sends cookies and reaches addresses that a
// stranger's page must not use.
func (g *Gate) checkOrigin(r *http.Request) *Refusal {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return nil
	}
	if len(origins) > 1 {
		return severalOrigins
	}
	page, err := parsePage(origins[0])
	if err == nil && g.isOwnPage(r, page) {
		return nil
	}
	for _, o := range g.Origins {
		if o == anyPage || err == nil && o.matches(page) {
			return nil
		}
	}
	refused := &Refusal{Status: http.StatusForbidden, Rule: RuleOrigin, Reason: "origin not allowed"}
	if err != nil {
		refused.Detail = quoted(origins[0]) + " (it is malformed)"
	} else {
		// What the client wrote is not for a command line that somebody copies
		// from the log, but the canonical form is.
		refused.Subject = subject(page.String())
		refused.Detail = quoted(page.String())
	}
	return refused
}

// isOwnPage reports whether a page comes from this server, as the Host header
// names it, or, where only the machine matters, from the same machine.
func (g *Gate) isOwnPage(r *http.Request, page Origin) bool {
	host, port, err := splitHost(requestHost(r))
	if err != nil || page == nullPage {
		return false
	}
	if !g.SameOrigin {
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
