package wire

import (
	"slices"
	"strings"
)

// The negotiation of permessage-deflate (RFC 7692, section 7.1). Both ends
// compress each message by itself (no context takeover) and with the window
// of compress/flate, which is 32 KiB and cannot be made smaller.

const (
	deflateName      = "permessage-deflate"
	clientNoTakeover = "client_no_context_takeover"
	serverNoTakeover = "server_no_context_takeover"
	clientWindow     = "client_max_window_bits"
	serverWindow     = "server_max_window_bits"
	fullWindow       = "15" // 32 KiB
)

// deflateOffer is what a client offers.
const deflateOffer = deflateName + "; " + clientNoTakeover + "; " + serverNoTakeover

// negotiate returns the answer to the Sec-WebSocket-Extensions lines of a
// client's handshake: it accepts the first offer of permessage-deflate that
// this end can meet. Other extensions are ignored. If there is no such offer,
// or the header is malformed, ok is false and the answer has no extension.
func negotiate(offers []string) (answer string, ok bool) {
	extensions, ok := parseExtensions(offers)
	if !ok {
		return "", false
	}
	for _, e := range extensions {
		if answer, ok := e.accept(); ok {
			return answer, true
		}
	}
	return "", false
}

// accept returns the answer to an offer, if it can be met.
func (e extension) accept() (answer string, ok bool) {
	if e.name != deflateName || e.repeats() {
		return "", false
	}
	answer = deflateOffer // a server may name either parameter unasked
	for _, p := range e.params {
		switch {
		case p.name == clientNoTakeover && !p.valued:
		case p.name == serverNoTakeover && !p.valued:
		case p.name == clientWindow && (!p.valued || isWindow(p.value)):
			// A client that may be told to use a smaller window need not be.
		case p.name == serverWindow && p.value == fullWindow:
			// Whoever accepts this limit must say so (section 7.1.2.1).
			answer += "; " + serverWindow + "=" + fullWindow
		default:
			return "", false
		}
	}
	return answer, true
}

// acceptsAnswer reports whether a server's Sec-WebSocket-Extensions lines are
// an answer to deflateOffer that this end can meet. A server that declines
// sends no such line: that is not asked here.
func acceptsAnswer(header []string) (ok bool) {
	extensions, ok := parseExtensions(header)
	if !ok || len(extensions) != 1 {
		return false
	}
	e := extensions[0]
	if e.name != deflateName || e.repeats() {
		return false
	}
	promised := false
	for _, p := range e.params {
		switch {
		case p.name == serverNoTakeover && !p.valued:
			promised = true
		case p.name == clientNoTakeover && !p.valued:
		case p.name == serverWindow && isWindow(p.value):
			// A server may name its window unasked (section 7.1.2.1), and what
			// was compressed with a smaller one is read with ours. It may not
			// do so with the client's, which was not offered (section 7.1.2.2).
		default:
			return false
		}
	}
	return promised
}

// isWindow reports whether s is the size of a window (section 7.1.2).
func isWindow(s string) bool {
	switch s {
	case "8", "9", "10", "11", "12", "13", "14", fullWindow:
		return true
	}
	return false
}

// An extension is one that a Sec-WebSocket-Extensions header names.
type extension struct {
	name   string
	params []param
}

type param struct {
	name   string
	value  string
	valued bool // it has one
}

// repeats reports whether two parameters have the same name.
func (e extension) repeats() bool {
	for i, p := range e.params {
		if slices.ContainsFunc(e.params[:i], func(q param) bool { return p.name == q.name }) {
			return true
		}
	}
	return false
}

// parseExtensions parses the lines of a Sec-WebSocket-Extensions header (RFC
// 6455, section 9.1), which may be split between any two extensions. If one of
// the lines is malformed, the header is.
func parseExtensions(lines []string) (extensions []extension, ok bool) {
	for _, line := range lines {
		s := scanner{line}
		for !s.done() {
			if s.take(',') {
				continue // a list may have empty elements (RFC 2616, section 2.1)
			}
			e, ok := s.extension()
			if !ok || !s.done() && !s.take(',') {
				return nil, false
			}
			extensions = append(extensions, e)
		}
	}
	return extensions, true
}

// A scanner takes what it has recognized from the front of rest.
type scanner struct{ rest string }

func (s *scanner) skipBlanks() { s.rest = strings.TrimLeft(s.rest, " \t") }

func (s *scanner) done() bool {
	s.skipBlanks()
	return s.rest == ""
}

// take reports whether c comes next, after blanks, and takes it.
func (s *scanner) take(c byte) bool {
	s.skipBlanks()
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) extension() (e extension, ok bool) {
	e.name, ok = s.token()
	for ok && s.take(';') {
		var p param
		p, ok = s.param()
		e.params = append(e.params, p)
	}
	return e, ok
}

func (s *scanner) param() (p param, ok bool) {
	p.name, ok = s.token()
	if !ok || !s.take('=') {
		return p, ok
	}
	p.valued = true
	if s.take('"') {
		p.value, ok = s.quoted()
	} else {
		p.value, ok = s.token()
	}
	return p, ok
}

func (s *scanner) token() (token string, ok bool) {
	s.skipBlanks()
	n := 0
	for n < len(s.rest) && isTokenChar(s.rest[n]) {
		n++
	}
	token, s.rest = s.rest[:n], s.rest[n:]
	return token, n > 0
}

// quoted is what a quoted string stands for, whose first quote was taken. It
// must be a token.
func (s *scanner) quoted() (token string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s.rest); i++ {
		c := s.rest[i]
		if c == '"' {
			s.rest = s.rest[i+1:]
			return b.String(), b.Len() > 0
		}
		if c == '\\' && i+1 < len(s.rest) {
			i++
			c = s.rest[i]
		}
		if !isTokenChar(c) {
			break
		}
		b.WriteByte(c)
	}
	return "", false
}

// isTokenChar reports whether c may be part of a token (RFC 9110, section
// 5.6.2).
func isTokenChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
