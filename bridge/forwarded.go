package bridge

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// proxiedKey is set in the context of a request that a trusted proxy passed
// on, to whether the proxy says for whom.
type proxiedKey struct{}

func proxied(r *http.Request) (known, ok bool) {
	known, ok = r.Context().Value(proxiedKey{}).(bool)
	return known, ok
}

// fromClient is a request as its client sent it: when it comes from a trusted
// proxy, its RemoteAddr is the client's address, with the port if the proxy
// tells it, as far as the proxy is to be understood.
func (h *Handler) fromClient(r *http.Request) *http.Request {
	if len(h.TrustedProxies) == 0 || !h.trusts(addrOf(r)) {
		return r
	}
	var ways [][]string
	if lines := r.Header.Values("X-Forwarded-For"); len(lines) > 0 {
		ways = append(ways, strings.Split(strings.Join(lines, ","), ","))
	}
	if lines := r.Header.Values("Forwarded"); len(lines) > 0 {
		var way []string
		for _, line := range lines {
			way = append(way, forwardedFor(line)...)
		}
		ways = append(ways, way)
	}
	if len(ways) == 0 {
		return r // the proxy speaks for itself
	}
	client := h.clientOf(ways[0])
	// Most proxies write one of the two headers and pass the other on as the
	// client sent it. Only if they agree is neither forged.
	if len(ways) == 2 && h.clientOf(ways[1]).addr != client.addr {
		client = node{}
	}
	r = r.WithContext(context.WithValue(r.Context(), proxiedKey{}, client.addr.IsValid()))
	if client.addr.IsValid() {
		r.RemoteAddr = client.String()
	}
	return r
}

// trusts reports whether an address is that of a trusted proxy.
func (h *Handler) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(h.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// clientOf is the rightmost of the nodes on a request's way that is no trusted
// proxy: what stands left of it anybody may have written. When all are trusted
// it is the first of them. It is the zero node when there is none, or a
// trusted proxy had it from something that has no address.
func (h *Handler) clientOf(way []string) (client node) {
	for _, s := range slices.Backward(way) {
		if client = parseNode(s); !h.trusts(client.addr) {
			break
		}
	}
	return client
}

// A node is a client or a proxy, as proxies name it.
type node struct {
	addr netip.Addr // not valid: unknown, hidden or malformed
	port string     // may be empty
}

func (n node) String() string {
	if n.port == "" {
		return n.addr.String()
	}
	return net.JoinHostPort(n.addr.String(), n.port)
}

// parseNode reads the node of RFC 7239, section 6, in all the forms in which
// proxies write it: 192.0.2.1, 192.0.2.1:80, [2001:db8::1]:80, [2001:db8::1]
// and 2001:db8::1.
func parseNode(s string) node {
	host := strings.Trim(s, " \t")
	h, port, err := net.SplitHostPort(host)
	switch {
	case err == nil:
		host = h
	case strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]"):
		host = host[1 : len(host)-1]
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
		port = strconv.FormatUint(n, 10)
	} else if port == "" || port == "0" || port[0] == '_' {
		port = "" // hidden by the proxy
	} else {
		return node{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.IsUnspecified() {
		return node{}
	}
	return node{addr.Unmap().WithZone(""), port} // a zone means something on the proxy only
}

// forwardedPair is one pair of a Forwarded header (RFC 7239, section 4) and
// what separates it from the next. White space may stand where it does in practice.
var forwardedPair = regexp.MustCompile(`^[ \t]*([^ \t"\\,;=]+)=(?:([^ \t"\\,;=]+)|"((?:[^"\\]|\\.)*)")[ \t]*([,;]|$)`)

// forwardedFor is what the elements of a Forwarded header are for. One that is
// malformed anywhere stands for an unknown node: with a quote too many a
// client could else swallow what the proxy adds.
func forwardedFor(line string) (nodes []string) {
	for rest, node := line, ""; ; {
		pair := forwardedPair.FindStringSubmatch(rest)
		if pair == nil {
			return []string{""}
		}
		rest = rest[len(pair[0]):]
		if strings.EqualFold(pair[1], "for") {
			if node != "" {
				return []string{""}
			}
			node = pair[2] + pair[3] // no proxy escapes an address
		}
		if pair[4] != ";" {
			nodes = append(nodes, node)
			node = ""
		}
		if pair[4] == "" {
			return nodes
		}
	}
}
