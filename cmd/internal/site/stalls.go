package site

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// WithoutStalls ends the connections of clients that stall: that send the body of a
// request more slowly than in the time of body, or take nothing of an answer for the
// time of write. Neither limits a WebSocket.
func WithoutStalls(next http.Handler, body, write time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sw := &stallWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: write}
		if r.ContentLength != 0 {
			sw.body = &stallBody{ReadCloser: r.Body, control: sw.control, timeout: body}
			r = r.WithContext(r.Context()) // a copy: the server keeps the body as it is
			r.Body = sw.body
		}
		defer sw.allow() // for what is still buffered
		next.ServeHTTP(sw, r)
	})
}

// A stallBody gives the body of a request its time. That begins with the first read,
// because the request may have had to wait for a place.
type stallBody struct {
	io.ReadCloser
	control *http.ResponseController
	timeout time.Duration
	begun   bool
}

func (b *stallBody) begin() {
	if !b.begun {
		b.begun = true
		_ = b.control.SetReadDeadline(time.Now().Add(b.timeout))
	}
}

func (b *stallBody) Read(p []byte) (int, error) {
	b.begin()
	return b.ReadCloser.Read(p)
}

// A stallWriter gives each write the same time.
type stallWriter struct {
	http.ResponseWriter
	control  *http.ResponseController
	timeout  time.Duration
	body     *stallBody // nil if there is none
	hijacked bool
}

func (w *stallWriter) allow() {
	if w.hijacked {
		return
	}
	if w.body != nil {
		w.body.begin() // what nobody has read of it, the server reads before it answers
	}
	_ = w.control.SetWriteDeadline(time.Now().Add(w.timeout))
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
