package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	neturl "net/url"
	"runtime"
	"strings"
)

// A target is where Dial connects to.
type target struct {
	url  *neturl.URL // without user and password
	user *neturl.Userinfo
	unix string // the path of a unix socket; empty: TCP
	name string // of the whole, for errors
}

// parseTarget reads a URL. What may not stand in one, a blank in its query for instance,
// is encoded as a browser does.
func parseTarget(url string) (*target, error) {
	u, err := neturl.Parse(strings.TrimSpace(url))
	if err != nil {
		return nil, err
	}
	t := &target{url: u, user: u.User}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	u.RawQuery = encodeQuery(u.RawQuery)
	t.name = u.String()
	if scheme, ok := strings.CutSuffix(u.Scheme, "+unix"); ok {
		return t, t.toSocket(scheme)
	}
	return t, nil
}

var errNoSocket = errors.New("write a unix socket as ws+unix:///path/of/socket:/path, with three slashes")

// toSocket makes the target that of ws+unix:///run/app.sock:/path, as the package ws of
// Node has it. A colon in the name of the socket is %3A. Without the slashes the name is
// a relative one.
func (t *target) toSocket(scheme string) (err error) {
	rest := t.url.Opaque
	if rest == "" {
		rest = t.url.EscapedPath()
	}
	drive := ""
	if runtime.GOOS == "windows" && len(rest) > 3 && rest[0] == '/' && rest[2] == ':' { // /C:/run/app.sock:/path
		drive, rest = rest[1:3], rest[3:]
	}
	socket, path, _ := strings.Cut(rest, ":")
	if t.unix, err = neturl.PathUnescape(socket); err != nil {
		return err
	}
	if t.unix == "" || t.url.Host != "" {
		return errNoSocket
	}
	t.unix = drive + t.unix
	query := t.url.RawQuery
	if t.url, err = neturl.Parse(scheme + "://localhost/" + strings.TrimPrefix(path, "/")); err == nil {
		t.url.RawQuery = query
	}
	return err
}

// encodeQuery encodes the bytes that no query has (the query percent-encode set of
// https://url.spec.whatwg.org/).
func encodeQuery(query string) string {
	var b strings.Builder
	for _, c := range []byte(query) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// handshakeHeaders are set by the handshake itself, or concern the connection and not
// what goes over it.
var handshakeHeaders = []string{
	"Connection", "Content-Length", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Sec-Websocket-Accept", "Sec-Websocket-Extensions",
	"Sec-Websocket-Key", "Sec-Websocket-Protocol", "Sec-Websocket-Version", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// headers are those of the user that the handshake is sent with.
func (t *target) headers(given http.Header) http.Header {
	header := given.Clone()
	if header == nil {
		header = http.Header{}
	}
	for _, name := range handshakeHeaders {
		header.Del(name)
	}
	if t.user != nil && header.Get("Authorization") == "" {
		password, _ := t.user.Password()
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(t.user.Username()+":"+password)))
	}
	return header
}

func isRedirect(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return resp.Header.Get("Location") != ""
	}
	return false
}

// redirects follows redirects. The user's headers are for the server that they were
// given for: another one gets none of them, nor does the same one without TLS.
func (t *target) redirects(header http.Header) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		// As many as http.Client follows without a function.
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		r.Header.Del("Referer") // its query may hold a secret
		hops := append(via[1:len(via):len(via)], r)
		for _, hop := range hops {
			if !isSameServer(via[0].URL, hop.URL) {
				if t.unix != "" {
					return errors.New("the server redirects away from its unix socket")
				}
				for name := range header {
					r.Header.Del(name)
				}
				r.Host = ""
				break
			}
		}
		return nil
	}
}

// isSameServer reports whether a URL leads to the server of another one, or to TLS on
// the same host, whose port is another one by necessity.
func isSameServer(first, next *neturl.URL) bool {
	if !strings.EqualFold(first.Hostname(), next.Hostname()) {
		return false
	}
	if first.Scheme != next.Scheme {
		return next.Scheme == "https"
	}
	return portOf(first) == portOf(next)
}

func portOf(u *neturl.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
