package wire

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	neturl "net/url"
	"strings"
	"time"

	"golang.org/x/net/proxy"
)

// A route is the way to a server: by TCP, by a unix socket, or through a proxy. TCP and
// the choice of a proxy are those of http.DefaultTransport, usually of the environment. Through an HTTP proxy each connection is a tunnel made by CONNECT,
// also one without TLS: a proxy may not pass on the Upgrade of a plain request.
type route struct {
	unix    string
	config  *tls.Config
	direct  func(ctx context.Context, network, address string) (net.Conn, error)
	proxies func(*http.Request) (*neturl.URL, error) // nil: there are none
	proxy   *neturl.URL                              // of the request that is being made; nil: none
}

// newRoute takes over what a transport does to connect.
func newRoute(unix string, t *http.Transport) *route {
	r := &route{unix: unix, config: t.TLSClientConfig, direct: t.DialContext, proxies: t.Proxy}
	if r.direct == nil {
		r.direct = new(net.Dialer).DialContext
	}
	t.Proxy, t.DialContext = nil, r.dial
	return r
}

// A ProxyError is the failure of a proxy, or its answer.
type ProxyError struct {
	Proxy  string // its URL, without user and password
	Status int    // of its answer; 0: there was none
	Err    error
}

func (e *ProxyError) Error() string { return "proxy " + e.Proxy + ": " + e.Err.Error() }
func (e *ProxyError) Unwrap() error { return e.Err }

// choose chooses the way for a request.
func (r *route) choose(url *neturl.URL) (err error) {
	if r.unix != "" || r.proxies == nil {
		return nil
	}
	r.proxy, err = r.proxies(&http.Request{URL: url})
	return err
}

func (r *route) dial(ctx context.Context, network, address string) (net.Conn, error) {
	switch {
	case r.unix != "":
		return new(net.Dialer).DialContext(ctx, "unix", r.unix)
	case r.proxy == nil:
		return r.direct(ctx, network, address)
	}
	failed := &ProxyError{Proxy: (&neturl.URL{Scheme: r.proxy.Scheme, Host: r.proxy.Host}).String()}
	nc, err := r.through(ctx, address, failed)
	if err != nil {
		failed.Err = err
		return nil, failed
	}
	return nc, nil
}

// through connects through the proxy. failed notes the status of an answer.
func (r *route) through(ctx context.Context, address string, failed *ProxyError) (net.Conn, error) {
	ports := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}
	port, ok := ports[r.proxy.Scheme]
	if !ok {
		return nil, fmt.Errorf("%s is not supported; http, https and socks5 are", r.proxy.Scheme)
	}
	at := net.JoinHostPort(r.proxy.Hostname(), cmp.Or(r.proxy.Port(), port))
	if strings.HasPrefix(r.proxy.Scheme, "socks") {
		var auth *proxy.Auth
		if u := r.proxy.User; u != nil {
			password, _ := u.Password()
			auth = &proxy.Auth{User: u.Username(), Password: password}
		}
		socks, err := proxy.SOCKS5("tcp", at, auth, new(net.Dialer))
		if err != nil {
			return nil, err
		}
		return socks.(proxy.ContextDialer).DialContext(ctx, "tcp", address)
	}
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, err
	}
	if r.proxy.Scheme == "https" {
		nc = tls.Client(nc, r.proxyTLS())
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	tunnel, err := r.connect(nc, address, failed)
	switch {
	case !stop():
		err = ctx.Err()
	case err == nil:
		return tunnel, nil
	}
	nc.Close()
	return nil, err
}

// proxyTLS is the config for the proxy itself, which is not shown the certificate that
// is for the server.
func (r *route) proxyTLS() *tls.Config {
	config := r.config.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.ServerName, config.NextProtos = r.proxy.Hostname(), nil
	config.Certificates, config.GetClientCertificate = nil, nil
	return config
}

// connect asks an HTTP proxy for a tunnel.
func (r *route) connect(nc net.Conn, address string, failed *ProxyError) (net.Conn, error) {
	ask := &http.Request{Method: http.MethodConnect, URL: &neturl.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if u := r.proxy.User; u != nil {
		password, _ := u.Password()
		ask.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	if err := ask.Write(nc); err != nil {
		return nil, err
	}
	in := bufio.NewReader(nc)
	resp, err := http.ReadResponse(in, ask)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		failed.Status = resp.StatusCode
		return nil, errors.New(strings.TrimSpace(fmt.Sprintf("it answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))))
	}
	if in.Buffered() > 0 {
		return early{nc, in}, nil
	}
	return nc, nil
}

// An early is a connection on which something came together with the proxy's answer.
type early struct {
	net.Conn
	in *bufio.Reader
}

func (e early) Read(p []byte) (int, error) { return e.in.Read(p) }
