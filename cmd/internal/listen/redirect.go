package listen

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// ByTLS serves requests over TLS by secure and the others by plain.
func ByTLS(secure, plain http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			secure.ServeHTTP(w, r)
		} else {
			plain.ServeHTTP(w, r)
		}
	})
}

// ToHTTPS redirects requests, also those for a WebSocket, to the same host, path
// and query at https and the port of addr. The Host must have been checked.
func ToHTTPS(addr net.Addr) http.Handler {
	_, port, _ := net.SplitHostPort(addr.String())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := url.URL{Scheme: "https", Host: hostAt(r.Host, port), Path: r.URL.Path, RawPath: r.URL.RawPath,
			RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery}
		status := http.StatusMovedPermanently
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			status = http.StatusPermanentRedirect // 301 would make a GET of a POST (RFC 9110, section 15.4.2)
		}
		http.Redirect(w, r, target.String(), status)
	})
}

// hostAt is the host of a Host header, at another port of https.
func hostAt(host, port string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if port != "443" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
