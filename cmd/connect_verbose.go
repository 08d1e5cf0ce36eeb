package cmd

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
)

// verbosePings is the time between two pings with --verbose.
const verbosePings = 10 * time.Second

// trace tells on stderr what happens, with --verbose.
func (o *connectOptions) trace() *bridge.Trace {
	if !o.verbose {
		return new(bridge.Trace)
	}
	return &bridge.Trace{
		Connected: func(r *http.Response) { o.remark(handshakeText(r)) },
		// It must not block, as a pipe may that nobody reads.
		Pong: func(d time.Duration) { go o.remark("ping: " + pingText(d)) },
	}
}

// remark tells something that is no error.
func (o *connectOptions) remark(text string) { fmt.Fprintf(o.stderr, "wsbridge: %s\n", text) }

// handshakeText is what a server has answered.
func handshakeText(r *http.Response) string {
	part := func(name, header string) string {
		if value := strings.Join(r.Header.Values(header), ", "); value != "" {
			return ", " + name + " " + printable(value)
		}
		return ", no " + name
	}
	return "connected: " + printable(r.Status) + part("subprotocol", "Sec-Websocket-Protocol") + part("extension", "Sec-Websocket-Extensions")
}

// pingText is the time of a ping for people.
func pingText(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return roundTime(d)
}

// endText is how a connection was closed, by whomever.
func endText(end bridge.Ending) string {
	if end.Code == 1006 || end.Code == 1005 {
		return map[int]string{1005: "closed without a code (1005)", 1006: closeText(end)}[end.Code]
	}
	return strings.Replace(closeText(end), "closed by the server with", "closed with", 1)
}
