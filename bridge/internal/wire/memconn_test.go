package wire

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// accepted is the server's end of nc, of which early has been read.
func accepted(t testing.TB, o Options, nc net.Conn, early []byte) *Conn {
	t.Helper()
	r := wiretest.Request()
	if o.Compress {
		r.Header.Set(extensions, deflateOffer)
	}
	c, err := Accept(wiretest.Upgrade{Conn: nc, Early: early}, r, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dialed is the client's end of nc.
func dialed(t testing.TB, o Options, nc net.Conn) *Conn {
	t.Helper()
	c := newConn(o, true)
	ws, _, err := websocket.Dial(t.Context(), "ws://localhost/", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: memServer{nc, c}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	c.ws = ws
	c.agree(o.Compress)
	return c
}

// A memServer answers a handshake and gives the library the Conn, as a dialing
// does.
type memServer struct {
	nc   net.Conn
	conn *Conn
}

func (m memServer) RoundTrip(r *http.Request) (*http.Response, error) {
	m.conn.attach(m.nc, m.nc, nil)
	header := http.Header{}
	header.Set("Upgrade", "websocket")
	header.Set("Connection", "Upgrade")
	header.Set("Sec-WebSocket-Accept", wiretest.AcceptKey(r.Header.Get("Sec-WebSocket-Key")))
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: header, Body: lower{m.conn}}, nil
}

// receiveAll receives until the end, as a session does that ends only because
// the WebSocket does.
func receiveAll(c *Conn, inbox Inbox) error {
	defer time.AfterFunc(time.Minute, func() { panic("the connection hangs") }).Stop()
	err := c.Receive(inbox)
	leaveOrClose(c, err)
	return err
}

func leaveOrClose(c *Conn, err error) Ending {
	c.Leave()
	c.Stop()
	end, _ := err.(Ending)
	return c.Close(end, closeLimit)
}
