package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	neturl "net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

func closeText(end bridge.Ending) string {
	var text string
	switch end.Code {
	case 1006:
		return "the connection was lost without a close frame (1006)"
	case 1002, 1007, 1009: // either side may have found fault with the other
		text = fmt.Sprintf("the connection was closed with %d", end.Code)
	default:
		text = fmt.Sprintf("closed by the server with %d", end.Code)
	}
	if end.Reason != "" {
		text += ": " + printable(end.Reason)
	} else if words := closeWords[end.Code]; words != "" {
		text += " (" + words + ")"
	}
	return text
}

// closeWords are what the codes of RFC 6455 and of the IANA registry stand for.
var closeWords = map[int]string{
	1000: "normal closure",
	1001: "going away",
	1002: "protocol error",
	1003: "unsupported data",
	1007: "invalid data",
	1008: "policy violation",
	1009: "message too big",
	1010: "missing extension",
	1011: "internal error",
	1012: "service restart",
	1013: "try again later",
	1014: "bad gateway",
}

// printable keeps what a server says from steering the terminal.
func printable(s string) string {
	if quoted := strconv.Quote(s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}

// connectError says why there is no connection, without the layers that the
// error has come through, and what to do about it.
func connectError(url string, err error) error {
	wrap := func(cause error) error { return fmt.Errorf("cannot connect to %s: %w", url, cause) }
	if e, ok := errors.AsType[*bridge.ProxyError](err); ok {
		return proxyError(url, e)
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return hint.Add(wrap(e.Err), "--sslca names the authority to trust; --insecure connects without verifying")
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "remote error" { // an alert of TLS
		err := wrap(fmt.Errorf("the server says: %w", e.Err))
		if strings.Contains(e.Err.Error(), "certificate") {
			return hint.Add(err, "it wants a client certificate from an authority that it trusts: --sslcert and --sslkey")
		}
		return err
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return hint.Add(wrap(errors.New("the server does not speak TLS")), "did you mean ws:// instead of wss://?")
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return wrap(errors.New(e.Err))
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		if errors.Is(e.Err, syscall.ECONNREFUSED) {
			if strings.Contains(url, "+unix:") {
				return hint.Add(wrap(e.Err), "is the server running?")
			}
			return hint.Add(wrap(e.Err), "is the server running, and on this port?")
		}
		return wrap(e.Err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return hint.Add(wrap(errors.New("the server does not speak TLS")), "did you mean ws:// instead of wss://?")
	}
	if said := notHTTP.FindStringSubmatch(err.Error()); said != nil {
		if strings.HasPrefix(said[1], `"\x15\x03`) { // an alert of TLS
			return hint.Add(wrap(errors.New("the server speaks TLS")), "did you mean wss:// instead of ws://?")
		}
		return wrap(fmt.Errorf("the server does not speak HTTP: it says %s", said[1]))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return wrap(errors.New("the server does not answer"))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return wrap(errors.New("the server closed the connection without an answer"))
	}
	if e, ok := errors.AsType[*neturl.Error](err); ok {
		return wrap(errors.New(withoutLayers(e.Err)))
	}
	if what := withoutLayers(err); what != err.Error() {
		return wrap(fmt.Errorf("the server's handshake is invalid: %s", what))
	}
	return err
}

// withoutLayers is what an error says behind the words of the libraries that
// have passed it on. What it cites of a server does not steer the terminal.
func withoutLayers(err error) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, libraryWords.ReplaceAllString(err.Error(), ""))
}

// notHTTP finds what a server says that is no HTTP; net/http has no type for that.
var notHTTP = regexp.MustCompile(`malformed HTTP \w+(?: \w+)? (".*")$`)

// shownURL is a URL for errors: without its password.
func shownURL(s string) string { return passwordInURL.ReplaceAllString(s, "${1}xxxxx@") }

var passwordInURL = regexp.MustCompile(`^([^/?#]*//[^/?#@:]*:)[^/?#]*@`)

var libraryWords = regexp.MustCompile(`^(failed to WebSocket dial: |WebSocket \w+ violation: |net/http: |HTTP/1\.x transport connection broken: )+`)
