package wire

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// An echo is a server that sends each message back.
type echo struct {
	t       testing.TB
	options Options
}

func (e echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := Accept(w, r, e.options)
	if err != nil {
		e.t.Error(err)
		return
	}
	in := &echoInbox{to: c, batch: c.NewBatch()}
	leaveOrClose(c, c.Receive(in))
}

// An echoInbox collects a message and sends it back.
type echoInbox struct {
	collector
	to    *Conn
	batch *Batch
}

func (e *echoInbox) Message(kind Kind, payload []byte, _ bool) {
	e.batch.Begin(GetLarge)
	e.batch.Append(kind, payload, true)
	_ = e.to.Send(e.batch) // Receive finds out
	e.batch.End()
}

// connect makes the opening handshake of a client that offers extensions.
func connect(t testing.TB, srv *httptest.Server, offer string) (*peer, *http.Response) {
	t.Helper()
	nc, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	p := &peer{Conn: nc, t: t, r: bufio.NewReader(nc)}
	_, err = io.WriteString(nc, "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: "+offer+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, resp
}
