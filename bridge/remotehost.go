package bridge

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// lookupTimeout is how long a session may wait for the name of its client.
const lookupTimeout = time.Second

// maxNames is how many names of an address are tried: whoever has an address
// gives it as many as he likes.
const maxNames = 4

// remoteHostKey is set in the context of a request to the name of its client.
type remoteHostKey struct{}

// remoteHost is the name of a request's client, or else its address.
func remoteHost(r *http.Request, address string) string {
	if name, ok := r.Context().Value(remoteHostKey{}).(string); ok {
		return name
	}
	return address
}

// withRemoteHost looks up the name of a request's client.
func (h *Handler) withRemoteHost(r *http.Request) *http.Request {
	host, _ := peerOf(r)
	addr, err := netip.ParseAddr(host)
	if h.Resolver == nil || err != nil {
		return r
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupTimeout)
	defer cancel()
	defer context.AfterFunc(h.draining, cancel)()
	found := make(chan string, 1)
	// Not every system's resolver ends with the context; then this goroutine
	// ends when the resolver gives up, and nobody waits for it.
	go func() { found <- nameOf(ctx, h.Resolver, addr.Unmap().WithZone("")) }()
	select {
	case name := <-found:
		if name != "" {
			r = r.WithContext(context.WithValue(r.Context(), remoteHostKey{}, name))
		}
	case <-ctx.Done():
	}
	return r
}

// nameOf is a name of addr that resolves to addr again, or nothing. What the
// owner of an address calls it is not to be believed without that: he may give
// it the name of somebody else.
func nameOf(ctx context.Context, resolver *net.Resolver, addr netip.Addr) string {
	names, _ := resolver.LookupAddr(ctx, addr.String()) // an error may come with names that are sound
	network := "ip4"
	if addr.Is6() {
		network = "ip6"
	}
	for _, name := range names[:min(len(names), maxNames)] {
		host, port, err := splitHost(name)
		if err != nil || port != "" {
			continue
		}
		if _, err := netip.ParseAddr(host); err == nil {
			continue
		}
		// As it came: with a dot at its end, no domain is tried behind it.
		addrs, _ := resolver.LookupNetIP(ctx, network, name)
		if slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap().WithZone("") == addr }) {
			return host
		}
	}
	return ""
}
