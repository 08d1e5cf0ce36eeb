package bridge

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
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
// and others that browsers give no origin. A host of *.example.com stands for every host
// below example.com, but not for that. A slash at the end is passed over.
func ParseOrigin(s string) (Origin, error) {
	s = strings.TrimSpace(s)
	if s == "*" {
		return anyPage, nil
	}
	rule := strings.TrimSuffix(s, "/")
	if strings.HasSuffix(rule, "/") { // file:// has no other
		rule = s
	}
	before, below, isWild := strings.Cut(rule, "*.")
	if isWild = isWild && (before == "" || strings.HasSuffix(before, "://")); isWild {
		rule = before + below
	}
	o, err := parseOrigin(rule)
	if err == nil && isWild && !isName(o.host) {
		err = errStar
	}
	if err != nil {
		return Origin{}, fmt.Errorf("origin %q is not [scheme://]host[:port]: %w", s, mistakeIn(s, err))
	}
	if isWild {
		o.host = "*." + o.host
	}
	return o, nil
}

// parseOrigin reads what both rules and pages have.
func parseOrigin(s string) (Origin, error) {
	if strings.EqualFold(s, "null") || s == "file://" { // some WebKits, and libraries for small devices
		return nullPage, nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "", s
	} else if scheme == "" || !consistsOf(scheme, alphanumeric+"+-.") { // RFC 3986, section 3.1
		return Origin{}, errScheme
	}
	scheme = strings.ToLower(scheme)
	if rest == "." && scheme != "" && !slices.Contains([]string{"http", "https", "ws", "wss"}, scheme) {
		return Origin{scheme: scheme, host: rest}, nil // app://. is that of many Electron applications
	}
	host, port, err := splitHost(rest)
	return Origin{scheme, host, port}, err
}

// isName reports whether a host is a name that others may be below.
func isName(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && !strings.Contains(host, ":") && strings.Trim(last, "0123456789") != ""
}

var (
	errHost   = errors.New("bad host")
	errPort   = errors.New("bad port")
	errScheme = errors.New("there is no scheme before ://")
	errStar   = errors.New("* stands for every page, and at the beginning of a name for all below it: *.example.com")
)

// mistakeIn says what somebody probably got wrong who wrote a rule that cannot be read.
func mistakeIn(s string, err error) error {
	_, rest, ok := strings.Cut(s, "://")
	if !ok {
		rest = s
	}
	switch {
	case errors.Is(err, errScheme):
		return err
	case strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }):
		return errors.New("browsers send a name in ASCII (xn--); write what location.origin is in their console")
	case strings.Contains(s, "*"):
		return errStar
	case strings.Contains(s, "@"):
		return errors.New("an origin has no user")
	case strings.ContainsAny(rest, `/\?#`):
		return errors.New("an origin ends with its host or port; it has no path")
	}
	return err
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
	return o.isHost(page.host) &&
		(o.scheme == "" || o.scheme == page.scheme) &&
		(o.port == "" || o.port == page.effectivePort())
}

// isHost reports whether a host, in canonical form, is that of the rule or below it.
func (o Origin) isHost(host string) bool {
	if below, ok := strings.CutPrefix(o.host, "*"); ok {
		return below != "" && len(host) > len(below) && strings.HasSuffix(host, below)
	}
	return o.host == host
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

// splitHost reads host[:port] into a canonical form: lower case, no trailing
// dot, no brackets, addresses as net/netip writes them, without a zone. A name
// is in ASCII, as browsers send it (a rule in Unicode would match nothing).
func splitHost(s string) (host, port string, err error) {
	host = s
	if h, p, err := net.SplitHostPort(s); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil {
			return "", "", errPort
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
	page, err := parseOrigin(strings.TrimSpace(s))
	if err == nil && page.scheme == "" && page != nullPage {
		err = errHost
	}
	return page, err
}
