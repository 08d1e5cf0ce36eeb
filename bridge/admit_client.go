package bridge

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A client is who a request comes from.
type client struct {
	// addr is the address that rules and limits see. A peer that has none, at a
	// unix socket, is on this machine.
	addr netip.Addr

	host, port string // the address as CGI programs are told it
	passedOn   bool   // by a trusted proxy
	hidden     bool   // by that proxy: the address is the proxy's own
}

// client finds the client of a request. The request that it returns is as the
// client sent it: when it came through a trusted proxy, its RemoteAddr is the
// client's address, with the port if the proxy tells it, as far as the proxy
// is to be understood. To find the client of that request gives the same one.
func (g *Gate) client(r *http.Request) (client, *http.Request) {
	c := peerOf(r)
	if len(g.TrustedProxies) == 0 || !g.trusts(c.addr) {
		return c, r
	}
	told, ok := g.forwarded(r)
	if !ok {
		return c, r // the proxy speaks for itself
	}
	c.passedOn = true
	if !told.addr.IsValid() {
		c.hidden = true
		return c, r
	}
	c.addr, c.host, c.port = told.addr, told.addr.String(), told.port
	r = r.WithContext(r.Context()) // a copy
	r.RemoteAddr = told.String()
	return c, r
}

// peerOf is the client at the other end of the connection. The peer of a unix
// socket has no address, but may have bound its end to a name that looks like
// one. An address without a port comes from handlers that take it from a
// proxy's header.
func peerOf(r *http.Request) client {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil || local.Network() != "unix" {
		host, port, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host, port = r.RemoteAddr, ""
		}
		if addr, addrErr := netip.ParseAddr(host); addrErr == nil {
			return client{addr: addr.Unmap().WithZone(""), host: host, port: port}
		} else if err == nil {
			return client{addr: thisMachine, host: host, port: port}
		}
	}
	return client{addr: thisMachine, host: "unix-socket"}
}

var thisMachine = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// forwarded is the client that the headers of proxies tell of, and whether
// there are such headers. It is the zero node if they are not to be understood.
func (g *Gate) forwarded(r *http.Request) (told node, ok bool) {
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
		return node{}, false
	}
	told = g.clientOf(ways[0])
	// Most proxies write one of the two headers and pass the other on as the
	// client sent it. Only if they agree is neither forged.
	if len(ways) == 2 && g.clientOf(ways[1]).addr != told.addr {
		told = node{}
	}
	return told, true
}

// unknownProxy is the address of the client if it may rather be a proxy that
// nobody has declared: it passes on what somebody else is said to have sent.
func (g *Gate) unknownProxy(c client, r *http.Request) string {
	if told, ok := g.forwarded(r); ok && !c.passedOn && told.addr != c.addr {
		return c.addr.String()
	}
	return ""
}

// trusts reports whether an address is that of a trusted proxy.
func (g *Gate) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(g.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// clientOf is the rightmost of the nodes on a request's way that is no trusted
// proxy: what stands left of it anybody may have written. When all are trusted
// it is the first of them. It is the zero node when there is none, or a
// trusted proxy had it from something that has no address.
func (g *Gate) clientOf(way []string) (client node) {
	for _, s := range slices.Backward(way) {
		if client = parseNode(s); !g.trusts(client.addr) {
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
