package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/coder/websocket"
)

// dialLimit is how long the handshake may take.
const dialLimit = 30 * time.Second

// Dial connects to url (ws:, wss:, http:, https:, ws+unix: or wss+unix:). Header is sent with the
// handshake; its Host replaces that of the URL. config is used for TLS, and nil
// means the defaults.
func Dial(ctx context.Context, url string, header http.Header, config *tls.Config, o Options) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	to, err := parseTarget(url)
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = config
	t.ForceAttemptHTTP2 = false // a WebSocket is an upgrade of HTTP/1.1
	t.DisableKeepAlives = true  // a refusal is the end
	way := newRoute(to.unix, t)
	defer t.CloseIdleConnections()
	header = to.headers(header)
	host := header.Get("Host")
	header.Del("Host")
	c := newConn(o, true)
	ws, answer, err := websocket.Dial(ctx, to.url.String(), &websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport:     dialing{t, way, c, to.name},
			CheckRedirect: to.redirects(header),
		},
		HTTPHeader:      header,
		Host:            host,
		Subprotocols:    o.Subprotocols,
		CompressionMode: compressionMode(o.Compress),
	})
	if err != nil && c.t.Conn != nil {
		c.Cut() // a 101 that the library did not like
	}
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	c.ws = ws
	if o.Answered != nil {
		o.Answered(answer)
	}
	ws.SetReadLimit(-1) // Options.MaxMessageSize is the limit
	return c, nil
}

// A dialing makes the handshake by its transport, and gives the library the
// Conn in place of the transport's connection.
type dialing struct {
	*http.Transport
	way  *route
	conn *Conn
	url  string // as errors show it
}

func (d dialing) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := d.way.choose(r.URL); err != nil {
		return nil, err
	}
	var nc net.Conn
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { nc = info.Conn }}
	resp, err := d.Transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	switch {
	case err != nil:
		return nil, err
	case isRedirect(resp):
		// Its body could keep everybody waiting.
		resp.Body.Close()
		resp.Body = http.NoBody
		return resp, nil
	case resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, refused(d.url, resp)
	}
	// Before the library sees it, which would wait for more of a wrong answer.
	if err := checkAnswer(r.Header, resp.Header); err != nil {
		resp.Body.Close()
		return nil, err
	}
	answer := resp.Header.Values(extensions)
	agreed := len(answer) > 0
	if agreed && !(d.conn.compress && acceptsAnswer(answer)) {
		resp.Body.Close()
		return nil, errOtherCompression
	}
	d.conn.agree(agreed)
	// What the server has sent already is in the body's buffer.
	d.conn.attach(nc, resp.Body, nil)
	resp.Body = lower{d.conn}
	return resp, nil
}
