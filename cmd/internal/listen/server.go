package listen

import (
	"bytes"
	"context"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Server is an HTTP server for strangers.
type Server struct {
	http.Server
	silent silentConns
}

// NewServer serves h. The head of a request may take the time of header, and a
// client of HTTP/2 may take nothing for that of stall. For HTTP/1.1, and for
// bodies, that is up to h.
func NewServer(h http.Handler, header, stall time.Duration, log *slog.Logger) *Server {
	s := &Server{Server: http.Server{
		Handler:           h,
		ReadHeaderTimeout: header,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		// A handler's deadline ends a stream of HTTP/2 by a frame, for which
		// a connection that nobody reads has no room.
		HTTP2:    &http.HTTP2Config{WriteByteTimeout: stall},
		ErrorLog: stdlog.New(httpLog{log}, "", 0),
	}}
	s.ConnState = s.silent.track
	return s
}

// CloseSilent closes the connections on which no request has begun, and those
// that come later. Shutdown would wait for them.
func (s *Server) CloseSilent() { s.silent.close() }

// silentConns are the connections on which no request has begun, such as a
// browser opens for later.
type silentConns struct {
	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
}

// track is an http.Server's ConnState.
func (s *silentConns) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.conns, c)
	case s.closed:
		c.Close()
	default:
		if s.conns == nil {
			s.conns = make(map[net.Conn]bool)
		}
		s.conns[c] = true
	}
}

func (s *silentConns) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
}

// An httpLog takes the lines of net/http's own log. Most are about what strangers
// send. But a panic is the server's own trouble, and so is a connection that
// cannot be accepted, most often because there are too many open files.
type httpLog struct{ *slog.Logger }

func (l httpLog) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	for _, trouble := range []string{"http: Accept error", "http: panic serving"} {
		if bytes.HasPrefix(line, []byte(trouble)) {
			level = slog.LevelError
		}
	}
	l.Log(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}
