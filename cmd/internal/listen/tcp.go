package listen

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// TCP opens a listener for each address or name, all on the same port. Port 0
// takes a free one.
func TCP(ctx context.Context, names []string, port int) ([]net.Listener, error) {
	places := make([][]netip.Addr, len(names))
	for i, name := range names {
		addrs, err := addressesOf(ctx, name)
		if err != nil {
			return nil, failed(net.JoinHostPort(name, strconv.Itoa(port)), err)
		}
		places[i] = addrs
	}
	// What is free on one address may be taken on another; then the next
	// free one is tried.
	for attempt := 0; ; attempt++ {
		listeners, err := listenAll(places, port)
		if err == nil {
			return listeners, nil
		}
		CloseAll(listeners)
		if port != 0 || attempt == 10 || !IsErrno(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
}

// addressesOf is an address itself, or all the addresses of a name. Localhost
// is both loopback addresses, whatever the resolver says (RFC 6761, section
// 6.3): on the one left out, another user's program could pose as this server.
func addressesOf(ctx context.Context, name string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	if bare := strings.ToLower(strings.TrimSuffix(name, ".")); bare == "localhost" || strings.HasSuffix(bare, ".localhost") {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}

// listenAll listens at each place, which is a name's addresses: at those of
// them that this machine has. It must have at least one.
func listenAll(places [][]netip.Addr, port int) (listeners []net.Listener, err error) {
	withIPv4 := slices.ContainsFunc(slices.Concat(places...), netip.Addr.Is4)
	var open []netip.Addr
	for _, addrs := range places {
		var missing error
		found := false
		for _, addr := range addrs {
			if slices.Contains(open, addr) { // given twice, or by two names
				found = true
				continue
			}
			// With "tcp" alone, 0.0.0.0 would be open to IPv6 too. And :: is
			// open to both, as expected, but only without an IPv4 address
			// beside it, with which it would collide.
			network := "tcp"
			switch {
			case addr.Is4():
				network = "tcp4"
			case withIPv4:
				network = "tcp6"
			}
			hostPort := netip.AddrPortFrom(addr, uint16(port)).String()
			ln, err := net.Listen(network, hostPort)
			if IsErrno(err, syscall.EADDRNOTAVAIL) || IsErrno(err, syscall.EAFNOSUPPORT) {
				missing = failed(hostPort, err)
				continue
			}
			if err != nil {
				return listeners, failed(hostPort, err)
			}
			found = true
			open = append(open, addr)
			listeners = append(listeners, ln)
			port = ln.Addr().(*net.TCPAddr).Port
		}
		if !found {
			return listeners, missing
		}
	}
	return listeners, nil
}
