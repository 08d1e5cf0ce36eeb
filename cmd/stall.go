package cmd

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// stallTimeout is how long a client may take nothing of an answer that waits
// for it. Tests shorten it.
var stallTimeout = 30 * time.Second

// withoutStalls keeps clients that have sent a request from holding a
// connection for as long as they like, by a body that never comes, for which
// the server waits before it answers, or by not reading the answer. It
// has no part in a WebSocket.
func withoutStalls(next http.Handler) http.Handler {
	forBody, forWrite := headerTimeout, stallTimeout
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sw := &stallWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: forWrite}
		if r.ContentLength != 0 {
			_ = sw.control.SetReadDeadline(time.Now().Add(forBody))
		}
		defer sw.allow() // for what is still buffered
		next.ServeHTTP(sw, r)
	})
}

// A stallWriter gives each write the same time.
type stallWriter struct {
	http.ResponseWriter
	control  *http.ResponseController
	timeout  time.Duration
	hijacked bool
}

func (w *stallWriter) allow() {
	if !w.hijacked {
		_ = w.control.SetWriteDeadline(time.Now().Add(w.timeout))
	}
}

func (w *stallWriter) Write(p []byte) (int, error) {
	w.allow()
	return w.ResponseWriter.Write(p)
}

func (w *stallWriter) FlushError() error {
	w.allow()
	return w.control.Flush()
}

// Hijack leaves the connection to whoever wants it, without deadlines.
func (w *stallWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.hijacked = true
	return w.control.Hijack()
}

func (w *stallWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A httpLog takes the lines of net/http's own log. Most tell what strangers
// send; but a connection that cannot be accepted, which most often is for
// want of files, and a panic are troubles of the server's.
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
