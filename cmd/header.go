package cmd

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"

	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// parseHeader reads "Name: value".
func parseHeader(s string) ([]site.Field, error) {
	name, value, ok := strings.Cut(s, ":")
	if !ok {
		return nil, errors.New(`must have the form "Name: value"`)
	}
	// The value must not be able to begin another line of the answer.
	value = strings.Trim(value, " \t")
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return nil, errors.New("the value contains a control character")
	}
	if !isToken(name) {
		return nil, fmt.Errorf("%q is not the name of a header", name)
	}
	return []site.Field{{Name: textproto.CanonicalMIMEHeaderKey(name), Value: value}}, nil
}

// parseAnswerHeader is parseHeader without the headers that decide how an answer
// is read, where it ends or whether it is a handshake.
func parseAnswerHeader(s string) ([]site.Field, error) {
	fields, err := parseHeader(s)
	if err != nil {
		return nil, err
	}
	switch name := fields[0].Name; name {
	case "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Keep-Alive", "Proxy-Connection", "Sec-Websocket-Accept",
		"Sec-Websocket-Extensions", "Sec-Websocket-Protocol", "Trailer", "Transfer-Encoding", "Upgrade":
		return nil, fmt.Errorf("%s is set by wsbridge itself", name)
	}
	return fields, nil
}

// parseHandshakeHeader is parseHeader without the headers that the handshake of a client
// sets itself.
func parseHandshakeHeader(s string) ([]site.Field, error) {
	fields, err := parseHeader(s)
	if err != nil {
		return nil, err
	}
	switch name := fields[0].Name; name {
	case "Sec-Websocket-Protocol":
		return nil, errors.New("Sec-WebSocket-Protocol is set by --subprotocol")
	case "Sec-Websocket-Extensions":
		return nil, errors.New("Sec-WebSocket-Extensions is set by --compress")
	case "Proxy-Authorization":
		return nil, errors.New("Proxy-Authorization would go to the server; write http://user:password@host in HTTPS_PROXY")
	case "Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Sec-Websocket-Accept", "Sec-Websocket-Key",
		"Sec-Websocket-Version", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return nil, fmt.Errorf("%s is set by wsbridge itself", name)
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
