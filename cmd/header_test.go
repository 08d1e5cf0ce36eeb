package cmd

import (
	"strings"
	"testing"
)

// What would break an answer is refused, by each of the flags.
func TestHeadersThatWouldBreakAnAnswer(t *testing.T) {
	for _, field := range []string{
		"", "x", ":", ": b", " : b", "a : b", " a: b", "a b: c", "a\tb: c", "(a): b", "a[0]: b", "é: b", "a\x00: b", "a\r: b", "a\n: b", "\"a\": b",
		"a: b\r\nc: d", "a: b\nc: d", "a: b\rc: d", "a: b\r\n\r\n<html>", "a: b\r\n c", "a: b\r", "a: b\n", "a:\r\n", "a: b\x00", "a: \x01b", "a: b\x1b[2J", "a: \x7f", "a: b\vc", "a: b\fc",
		"Connection: close", "CONNECTION: upgrade", "Content-Encoding: gzip", "content-length: 3", "Content-Range: bytes 0-1/2",
		"Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", // HTTP/2 has none of these
		"Sec-WebSocket-Accept: x", "Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: x",
		"Trailer: X", "Transfer-Encoding: chunked", "Upgrade: h2c",
	} {
		for _, flag := range []string{"--header", "--header-ws", "--header-http"} {
			o, _, status, stderr := parse(flag, field, "ls")
			if status != 2 || o != nil || !strings.HasPrefix(stderr, "wsbridge: "+flag+"=") {
				t.Errorf("%s %q: exit status %d, %q", flag, field, status, stderr)
			}
		}
	}
	for field, want := range map[string][2]string{
		"a:":                              {"A", ""},
		"a: \t b \t":                      {"A", "b"},
		"a: b\tc":                         {"A", "b\tc"},
		"x-frame-options:DENY":            {"X-Frame-Options", "DENY"},
		"Access-Control-Allow-Origin: *":  {"Access-Control-Allow-Origin", "*"},
		"Set-Cookie: a=b; Path=/":         {"Set-Cookie", "a=b; Path=/"},
		"X!#$%&'*+-.^_`|~1: é":            {"X!#$%&'*+-.^_`|~1", "é"},
		"Link: <http://a/>; rel=\"next\"": {"Link", "<http://a/>; rel=\"next\""},
	} {
		if got, err := parseAnswerHeader(field); err != nil || [2]string{got[0].Name, got[0].Value} != want {
			t.Errorf("%q: %q, %v", field, got, err)
		}
	}
}
