package cmd

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wsbridge/wsbridge/bridge"
)

// A headerField is one line that the user adds to answers.
type headerField struct{ name, value string }

// parseHeader reads "Name: value".
func parseHeader(s string) ([]headerField, error) {
	name, value, ok := strings.Cut(s, ":")
	if !ok {
		return nil, errors.New(`must have the form "Name: value"`)
	}
	// The value must not be able to begin another line of the answer.
	value = strings.Trim(value, " \t")
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return nil, errors.New("the value has a control character in it")
	}
	if !isToken(name) {
		return nil, fmt.Errorf("%q is not the name of a header", name)
	}
	return []headerField{{textproto.CanonicalMIMEHeaderKey(name), value}}, nil
}

// parseAnswerHeader is parseHeader less the headers on which it hangs how an
// answer is read, where it ends or whether it is a handshake.
func parseAnswerHeader(s string) ([]headerField, error) {
	fields, err := parseHeader(s)
	if err != nil {
		return nil, err
	}
	switch name := fields[0].name; name {
	case "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Keep-Alive", "Proxy-Connection", "Sec-Websocket-Accept",
		"Sec-Websocket-Extensions", "Sec-Websocket-Protocol", "Trailer", "Transfer-Encoding", "Upgrade":
		return nil, fmt.Errorf("%s is the server's own to set", name)
	}
	return fields, nil
}

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

// withHeaders adds fields to all answers of next: upgrades to those to
// requests that ask for a WebSocket, plain to the others.
func withHeaders(next http.Handler, all, upgrades, plain []headerField) http.Handler {
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
	fields []headerField
	done   bool
}

func (w *headerWriter) addFields() {
	if w.done {
		return
	}
	w.done = true
	for _, f := range w.fields {
		w.Header().Del(f.name)
	}
	for _, f := range w.fields {
		w.Header().Add(f.name, f.value)
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
