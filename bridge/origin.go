package bridge

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

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

// parsePage reads an Origin header (RFC 6454, section 6.1).
func parsePage(s string) (Origin, error) {
	page, err := ParseOrigin(s)
	if err == nil && page.scheme == "" && page != nullPage {
		err = errHost
	}
	return page, err
}
