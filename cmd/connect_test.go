package cmd

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge"
)

func TestCloseText(t *testing.T) {
	for _, test := range []struct {
		end  bridge.Ending
		want string
	}{
		{bridge.Ending{Code: 1001, Reason: "server shutting down"}, "closed by the server with 1001: server shutting down"},
		{bridge.Ending{Code: 1011}, "closed by the server with 1011 (internal error)"},
		{bridge.Ending{Code: 1009, Reason: "too big"}, "the connection was closed with 1009: too big"},
		{bridge.Ending{Code: 1006, Reason: "connection lost"}, "the connection was lost without a close frame (1006)"},
	} {
		if got := closeText(test.end); got != test.want {
			t.Errorf("%v: %s", test.end, got)
		}
	}
}

// Whatever a server answers, the user is told in one line what is wrong.
func TestAnswersThatAreNone(t *testing.T) {
	const switching = "HTTP/1.1 101 Switching Protocols\r\n"
	for _, test := range []struct{ answer, want string }{
		{"", "the server closed the connection without an answer"},
		{"HTTP/1.1 100 Continue\r\n\r\n", "the server closed the connection without an answer"},
		{"\x1b[31m this is no HTTP\r\n\r\n", `the server does not speak HTTP: it says "this"`},
		{"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", `unsupported protocol scheme "file"`},
		{switching + "Connection: Upgrade\r\n\r\n", `the server's handshake is invalid: it does not say Upgrade: websocket`},
		{switching + "Upgrade: websocket\r\n\r\n", `the server's handshake is invalid: it does not say Connection: Upgrade`},
		{switching + "A: " + strings.Repeat("a", 11<<20), "server response headers exceeded 10485760 bytes; aborted"},
	} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		go func() {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			defer nc.Close()
			_, _ = http.ReadRequest(bufio.NewReader(nc))
			_, _ = io.WriteString(nc, test.answer)
		}()
		url := "ws://" + ln.Addr().String() + "/"
		_, o, status, stderr := parse("connect", url)
		if status != 0 {
			t.Fatal(stderr)
		}
		err = runConnect(t.Context(), o)
		if want := "cannot connect to " + url + ": " + test.want; err == nil || err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

func TestWithoutLayers(t *testing.T) {
	err := errors.New("failed to WebSocket dial: WebSocket protocol violation: unexpected \x1b[31m")
	if got := withoutLayers(err); got != "unexpected \ufffd[31m" {
		t.Errorf("%q", got)
	}
}
