package site

import (
	"bufio"
	"net"
	"net/http"
	"time"
)

// WithoutStalls keeps clients that have sent a request from holding a connection
// for as long as they like: by a body that does not come in the time of body, for
// which the server waits before it answers, or by taking nothing of an answer for
// the time of write. Neither limits a WebSocket.
func WithoutStalls(next http.Handler, body, write time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sw := &stallWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: write}
		if r.ContentLength != 0 {
			_ = sw.control.SetReadDeadline(time.Now().Add(body))
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
