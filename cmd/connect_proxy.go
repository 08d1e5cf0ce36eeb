package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// proxyError says why there is no connection through a proxy.
func proxyError(url string, e *bridge.ProxyError) error {
	err := fmt.Errorf("cannot connect to %s through the proxy %s: %w", url, e.Proxy, proxyFault(e.Err))
	switch e.Status {
	case http.StatusProxyAuthRequired, http.StatusUnauthorized:
		return hint.Add(err, "give it user and password in HTTP_PROXY or HTTPS_PROXY, as in http://user:password@proxy:3128")
	case http.StatusForbidden, http.StatusMethodNotAllowed:
		return hint.Add(err, "it does not allow CONNECT to this host and port")
	}
	return hint.Add(err, "HTTP_PROXY (for ws), HTTPS_PROXY (for wss) and NO_PROXY name the proxy")
}

// proxyFault is what is wrong with a proxy, without the layers of the error.
func proxyFault(err error) error {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New(e.Err)
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok { // of SOCKS
		err = e.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("it does not answer")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it closed the connection without an answer")
	}
	return errors.New(withoutLayers(err))
}
