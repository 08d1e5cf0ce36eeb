package site

import (
	"bufio"
	"net"
	"net/http"
	"slices"

	"github.com/wsbridge/wsbridge/bridge"
)

// A Field is a line of a header.
type Field struct{ Name, Value string }

// WithHeaders adds the fields of all to all answers of next, those of upgrades to
// the answers to requests that ask for a WebSocket, and those of plain to the
// others.
func WithHeaders(next http.Handler, all, upgrades, plain []Field) http.Handler {
	if len(all)+len(upgrades)+len(plain) == 0 {
		return next
	}
	onUpgrades, onPlain := slices.Concat(all, upgrades), slices.Concat(all, plain)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields := onPlain
		if bridge.AsksForUpgrade(r) {
			fields = onUpgrades
		}
		next.ServeHTTP(&headerWriter{ResponseWriter: w, fields: fields}, r)
	})
}

// A headerWriter adds its fields at the last moment, because http.Error and
// http.FileServer drop or replace headers that were set before them.
type headerWriter struct {
	http.ResponseWriter
	fields []Field
	done   bool
}

func (w *headerWriter) addFields() {
	if w.done {
		return
	}
	w.done = true
	for _, f := range w.fields {
		w.Header().Del(f.Name)
	}
	for _, f := range w.fields {
		w.Header().Add(f.Name, f.Value)
	}
}

func (w *headerWriter) WriteHeader(status int) {
	w.addFields()
	w.ResponseWriter.WriteHeader(status)
}

func (w *headerWriter) Write(p []byte) (int, error) {
	w.addFields()
	return w.ResponseWriter.Write(p)
}

// Hijack is for libraries that do not know http.ResponseController, which
// would find Unwrap.
func (w *headerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

func (w *headerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
