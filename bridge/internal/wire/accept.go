package wire

import (
	"bufio"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// libraryBuffer is the size of the buffers through which the library reads
// headers and control frames, and writes control frames.
const libraryBuffer = 256

const extensions = "Sec-Websocket-Extensions"

// Accept answers a client's opening handshake, whose Host and Origin the caller
// has checked, and takes the connection over. When it returns an error there may
// have been no answer.
func Accept(w http.ResponseWriter, r *http.Request, o Options) (*Conn, error) {
	a := &accepting{ResponseWriter: w, options: o}
	if o.Compress {
		a.extension, a.compress = negotiate(r.Header.Values(extensions))
	}
	if offers := r.Header.Values(extensions); len(offers) > 0 {
		// The library accepts offers that cannot be met, and in words that some
		// clients do not take: it hears of one that it cannot get wrong.
		r = withOffer(r, a.compress)
	}
	a.conn = newConn(o, false)
	ws, err := websocket.Accept(a, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true,
		Subprotocols:       o.Subprotocols,
		CompressionMode:    compressionMode(a.compress),
	})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1) // Options.MaxMessageSize is the limit
	a.conn.ws = ws
	a.conn.agree(a.compress)
	return a.conn, nil
}

// withOffer is a request whose client offers to compress, or nothing.
func withOffer(r *http.Request, compress bool) *http.Request {
	changed := *r
	changed.Header = r.Header.Clone()
	changed.Header.Del(extensions)
	if compress {
		changed.Header.Set(extensions, deflateOffer)
	}
	return &changed
}

// An accepting is the answer to a handshake. It gives the library the Conn in
// place of the server's connection.
type accepting struct {
	http.ResponseWriter
	options   Options
	conn      *Conn
	extension string // what is answered of extensions
	compress  bool
}

func (a *accepting) WriteHeader(status int) {
	if a.compress && status == http.StatusSwitchingProtocols {
		a.Header().Set(extensions, a.extension)
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *accepting) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, brw, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early := make([]byte, brw.Reader.Buffered())
	if _, err := brw.Read(early); err != nil && len(early) > 0 {
		nc.Close()
		return nil, nil, err
	}
	limitSendBuffer(nc, a.options.SendBuffer)
	a.conn.attach(nc, nc, early)
	c := lower{a.conn}
	return c, bufio.NewReadWriter(bufio.NewReaderSize(c, libraryBuffer), bufio.NewWriterSize(c, libraryBuffer)), nil
}

// limitSendBuffer limits what the system keeps for the peer of a connection, if that has
// a socket.
func limitSendBuffer(nc net.Conn, size int) {
	for size > 0 {
		if socket, ok := nc.(interface{ SetWriteBuffer(int) error }); ok {
			_ = socket.SetWriteBuffer(size)
			return
		}
		above, ok := nc.(interface{ NetConn() net.Conn }) // as of tls.Conn
		if !ok {
			return
		}
		nc = above.NetConn()
	}
}
