package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// dialLimit is how long the handshake may take.
const dialLimit = 30 * time.Second

// Dial connects to url (ws:, wss:, http: or https:). Header is sent with the
// handshake; its Host replaces that of the URL. config is used for TLS, and nil
// means the defaults.
func Dial(ctx context.Context, url string, header http.Header, config *tls.Config, o Options) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = config
	t.ForceAttemptHTTP2 = false // a WebSocket is an upgrade of HTTP/1.1
	t.DisableKeepAlives = true  // a refusal is the end
	defer t.CloseIdleConnections()
	header = header.Clone()
	host := header.Get("Host")
	header.Del("Host")
	c := newConn(o, true)
	ws, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:      &http.Client{Transport: dialing{t, c}, CheckRedirect: fewRedirects},
		HTTPHeader:      header,
		Host:            host,
		Subprotocols:    o.Subprotocols,
		CompressionMode: compressionMode(o.Compress),
	})
	if err != nil && c.t.Conn != nil {
		c.Cut() // a 101 that the library did not like
	}
	if err != nil && resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, refused(url, resp)
	}
	if err != nil {
		return nil, err
	}
	c.ws = ws
	ws.SetReadLimit(-1) // Options.MaxMessageSize is the limit
	return c, nil
}

// refused is the error of an answer that is no handshake.
func refused(url string, resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	// Its own words for the status could steer a terminal.
	status := strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	return &RefusedError{url, resp.StatusCode, fmt.Sprintf("the server answered %s: %q", status, bytes.TrimSpace(text))}
}

// A RefusedError is the answer of a server that lets nobody in.
type RefusedError struct {
	URL    string
	Status int
	answer string
}

func (e *RefusedError) Error() string { return e.URL + ": " + e.answer }

// fewRedirects stops where http.Client does by itself: with a function from us,
// or from the library, it no longer does.
func fewRedirects(_ *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects")
	}
	return nil
}

// errOtherCompression refuses an answer (RFC 7692, section 7.1).
var errOtherCompression = errors.New("the server wants to compress in another way than was offered")

// A dialing makes the handshake by its transport, and gives the library the
// Conn in place of the transport's connection.
type dialing struct {
	*http.Transport
	conn *Conn
}

func (d dialing) RoundTrip(r *http.Request) (*http.Response, error) {
	var nc net.Conn
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { nc = info.Conn }}
	resp, err := d.Transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return resp, err
	}
	answer := resp.Header.Values(extensions)
	agreed := len(answer) > 0
	if agreed && !(d.conn.compress && acceptsAnswer(answer)) {
		// Before the library sees it, which would wait for more of the answer.
		resp.Body.Close()
		return nil, errOtherCompression
	}
	d.conn.agree(agreed)
	// What the server has sent already is in the body's buffer.
	d.conn.attach(nc, resp.Body, nil)
	resp.Body = lower{d.conn}
	return resp, nil
}
