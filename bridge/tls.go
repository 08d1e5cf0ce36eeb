package bridge

import (
	"crypto/tls"
	"net"
)

// isTLS reports whether a connection is one over TLS.
func isTLS(nc net.Conn) bool {
	_, ok := nc.(*tls.Conn)
	return ok
}

// closeAtOnce closes a connection without a farewell: the Close of a tls.Conn
// sends one first, and waits up to 5 s for a peer that takes nothing.
func closeAtOnce(nc net.Conn) error {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	return nc.Close()
}

// closeWrite tells the peer that nothing follows, and reports whether it could.
// Over TLS it first says so by a close_notify (RFC 8446, section 6.1), without
// which the end might be an attacker's.
func closeWrite(nc net.Conn) bool {
	t, secure := nc.(*tls.Conn)
	if secure {
		if t.CloseWrite() != nil {
			return false
		}
		nc = t.NetConn()
	}
	half, ok := nc.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil || secure
}
