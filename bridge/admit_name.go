package bridge

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// lookupTimeout is how long a session may wait for the name of its client.
const lookupTimeout = time.Second

// maxNames is how many names of an address are tried: whoever has an address
// gives it as many as he likes.
const maxNames = 4

// lookUpName looks up the name of the client.
func (a *admission) lookUpName() *Refusal {
	resolver := a.handler.gate().Resolver
	addr, err := netip.ParseAddr(a.client.host)
	if resolver == nil || err != nil || a.asking {
		return nil
	}
	ctx, cancel := context.WithTimeout(a.request.Context(), lookupTimeout)
	defer cancel()
	defer context.AfterFunc(a.handler.service().draining, cancel)()
	found := make(chan string, 1)
	// Not every system's resolver ends with the context; then this goroutine
	// ends when the resolver gives up, and nobody waits for it.
	go func() { found <- nameOf(ctx, resolver, addr.Unmap().WithZone("")) }()
	select {
	case a.name = <-found:
	case <-ctx.Done():
	}
	return nil
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
