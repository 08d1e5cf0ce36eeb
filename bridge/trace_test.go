package bridge

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A Trace is told each handshake and how long pings take, also with numbers in them.
func TestTrace(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]*Reconnect{"once": nil, "resume": {Resume: true}} {
		h := child(&Handler{Subprotocols: []string{"own"}}, "echo")
		want := "own"
		if again != nil {
			h.Hosting, want = Resume{For: time.Minute}, countingProtocol
		}
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan struct{})
		var pongs atomic.Int32
		var protocol string
		trace := &Trace{
			Connected: func(r *http.Response) { protocol = r.Status + " " + r.Header.Get("Sec-Websocket-Protocol") },
			Pong: func(d time.Duration) {
				if d <= 0 {
					t.Error(name, d)
				}
				if pongs.Add(1) == 3 {
					stop()
				}
			},
		}
		c := &Client{Stdin: readerAfter{over, strings.NewReader("")}, Stdout: new(bytes.Buffer), Subprotocols: []string{"own"}, PingInterval: 50 * time.Millisecond, Reconnect: again}
		_, err := c.Run(WithTrace(ctx, trace), serve(t, h).URL)
		close(over)
		if err != nil || pongs.Load() < 3 || protocol != "101 Switching Protocols "+want {
			t.Errorf("%s: %v, %d pongs, %q", name, err, pongs.Load(), protocol)
		}
	}
}
