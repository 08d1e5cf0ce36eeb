package wire

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// refusalLimit is how long the body of a refusal is waited for.
const refusalLimit = time.Second

// refused is the error of an answer that is no handshake.
func refused(url string, resp *http.Response) error {
	defer resp.Body.Close()
	late := time.AfterFunc(refusalLimit, func() { resp.Body.Close() })
	defer late.Stop()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	// Its own words for the status could steer a terminal.
	status := strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	return &RefusedError{url, resp.StatusCode, fmt.Sprintf("the server answered %s: %q", status, bytes.TrimSpace(text))}
}

// A RefusedError is the answer of a server that lets nobody in.
type RefusedError struct {
	URL    string
	Status int
	answer string
}

func (e *RefusedError) Error() string { return e.URL + ": " + e.answer }

// An invalidAnswer is what is wrong with a server's handshake.
type invalidAnswer string

func (e invalidAnswer) Error() string { return "the server's handshake is invalid: " + string(e) }

const (
	noUpgrade    = invalidAnswer("it does not say Upgrade: websocket")
	noConnection = invalidAnswer("it does not say Connection: Upgrade")
	otherAccept  = invalidAnswer("its Sec-WebSocket-Accept does not belong to this connection")
)

// errOtherCompression refuses an answer (RFC 7692, section 7.1).
var errOtherCompression = errors.New("the server wants to compress in another way than was offered")

// checkAnswer finds what is wrong with the headers of a 101 (RFC 6455, section 4.1).
func checkAnswer(asked, answer http.Header) error {
	switch {
	case !HasToken(answer, "Upgrade", "websocket"):
		return noUpgrade
	case !HasToken(answer, "Connection", "upgrade"):
		return noConnection
	case answer.Get("Sec-WebSocket-Accept") != acceptKey(asked.Get("Sec-WebSocket-Key")):
		return otherAccept
	}
	chosen := answer.Get("Sec-WebSocket-Protocol")
	if chosen != "" && !HasToken(asked, "Sec-WebSocket-Protocol", chosen) {
		return invalidAnswer(fmt.Sprintf("it selects the subprotocol %q, which was not offered", chosen))
	}
	return nil
}

// HasToken reports whether a comma-separated header lists a token, which is ASCII.
func HasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for t := range strings.SplitSeq(line, ",") {
			// To EqualFold the Kelvin sign is a k.
			if t = strings.TrimSpace(t); len(t) == len(token) && strings.EqualFold(t, token) {
				return true
			}
		}
	}
	return false
}

// acceptKey is the answer to a key.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
