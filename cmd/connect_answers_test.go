package cmd

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A server that goes on talking, or does not, keeps nobody waiting once its answer is
// known to be wrong.
func TestWrongAnswersAtOnce(t *testing.T) {
	const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	for _, test := range []struct{ answer, want string }{
		{"SSH-2.0-OpenSSH_9.2\r\n", `the server does not speak HTTP: it says "SSH-2.0-OpenSSH_9.2"`},
		{"\x15\x03\x01\x00\x02\x02\x0a\n", "the server speaks TLS"},
		{switching + "\r\n", "the server's handshake is invalid: its Sec-WebSocket-Accept does not belong to this connection"},
		{switching + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
			"the server's handshake is invalid: its Sec-WebSocket-Accept does not belong to this connection"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", `the server answered 200 OK: "hello"`},
	} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			defer nc.Close()
			_, _ = http.ReadRequest(bufio.NewReader(nc))
			_, _ = io.WriteString(nc, test.answer)
			_, _ = io.Copy(io.Discard, nc) // until the client goes
		}()
		url := "ws://user:secret@" + ln.Addr().String() + "/"
		_, o, status, stderr := parse("connect", url)
		if status != 0 {
			t.Fatal(stderr)
		}
		err = runConnect(t.Context(), o)
		if err == nil || !strings.HasSuffix(err.Error(), ": "+test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %q, want %q", err, test.want)
		}
		<-done
	}
}

func TestShownURL(t *testing.T) {
	for in, want := range map[string]string{
		"ws://h/?a=b:c@d":       "ws://h/?a=b:c@d",
		"wss://u:p@h/":          "wss://u:xxxxx@h/",
		"wss://u:p@p@h:1/a:b@c": "wss://u:xxxxx@h:1/a:b@c",
		"u:p@h":                 "u:p@h",
		"ws://u@h":              "ws://u@h",
	} {
		if got := shownURL(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// The handshake's own headers are refused, with the flag that sets them.
func TestHandshakeHeaders(t *testing.T) {
	for header, want := range map[string]string{
		"upgrade: h2c": "Upgrade is set by wsbridge itself", "Connection: close": "Connection is set by wsbridge itself",
		"Sec-WebSocket-Key: x": "is set by wsbridge itself", "sec-websocket-protocol: a": "is set by --subprotocol",
		"Sec-WebSocket-Extensions: a": "is set by --compress", "Proxy-Authorization: a": "would go to the server",
		"Host: a": "", "Origin: a": "", "Authorization: a": "", "X: y": "",
	} {
		_, _, status, stderr := parse("connect", "--header="+header, "ws://h")
		if (status == 2) != (want != "") || !strings.Contains(stderr, want) {
			t.Errorf("%s: %d, %s", header, status, stderr)
		}
	}
}
