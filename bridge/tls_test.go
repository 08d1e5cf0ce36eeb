package bridge

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// testCertificate is httptest's, and the configuration of a client that trusts
// it.
func testCertificate() (tls.Certificate, *tls.Config) {
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "example.com"
	return srv.TLS.Certificates[0], config
}

// tlsPipe is a pipe whose ends speak TLS.
func tlsPipe(t *testing.T, certificate tls.Certificate, config *tls.Config) (client, server net.Conn) {
	t.Helper()
	c, s := net.Pipe()
	client = tls.Client(c, config)
	server = tls.Server(halfCloser{s}, &tls.Config{
		Certificates:           []tls.Certificate{certificate},
		SessionTicketsDisabled: true, // nobody would read the ticket
	})
	shaken := make(chan error)
	go func() { shaken <- server.(*tls.Conn).Handshake() }()
	if err := client.(*tls.Conn).Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	return client, server
}

// busyConn is a connection whose reader does not come back at a deadline, as
// one does not that is writing.
type busyConn struct{ net.Conn }

func (busyConn) SetReadDeadline(time.Time) error { return nil }

// A reader that cannot be called away holds up the end, and not for ever.
func TestEndWithABusyReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, end := silence(t)
		defer end()
		client, server := net.Pipe()
		defer client.Close()
		p := runOver(t, client, busyConn{server}, &Handler{Bounds: Bounds{PingInterval: -1}}, source, discard{})
		synctest.Wait()
		p.handler.service().drain(errShutdown)
		<-p.done
		if want := (Ending{1006, "connection lost before " + errShutdown.String()}); p.end != want || p.took != closeLimit {
			t.Errorf("ended with %v after %v", p.end, p.took)
		}
	})
}

// A recorder keeps the types of the TLS records that were read.
type recorder struct {
	net.Conn
	read  []byte
	types []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.read = append(r.read, p[:n]...)
	for len(r.read) >= 5 {
		end := 5 + int(binary.BigEndian.Uint16(r.read[3:]))
		if len(r.read) < end {
			break
		}
		r.types = append(r.types, r.read[0])
		r.read = r.read[end:]
	}
	return n, err
}

// However a session ends, what the client reads last is a close frame, the
// close_notify of TLS and the end of the connection, and no reset.
func TestCloseNotify(t *testing.T) {
	for _, test := range []struct {
		name string
		h    *Handler
		act  func(h *Handler, p *peer)
		want int
	}{
		{"the child exits", child(&Handler{}, "exit", "3"), func(*Handler, *peer) {}, 4003},
		{"the client closes", child(&Handler{}, "echo"), func(_ *Handler, p *peer) { p.write(closing(1000, "")) }, 1000},
		{"a violation", child(&Handler{}, "echo"), func(_ *Handler, p *peer) { p.write(appendFrame(nil, finBit|0x3, nil, true)) }, 1002},
		{"too big", child(&Handler{Bounds: Bounds{MaxMessageSize: 9}}, "echo"), func(_ *Handler, p *peer) { p.write(text(strings.Repeat("x", 10))) }, 1009},
		{"no command", &Handler{}, func(*Handler, *peer) {}, 1011},
		{"a drain", child(&Handler{}, "echo"), func(h *Handler, p *peer) { go h.service().drain(errShutdown) }, 1001},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := serveTLS(t, test.h)
			p := dial(t, srv.Listener.Addr().String())
			p.secure(srv)
			config := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			config.ServerName = "example.com"
			config.MaxVersion = tls.VersionTLS12 // whose alerts are to be seen from outside
			raw := &recorder{Conn: p.TCPConn}
			p.tls = tls.Client(raw, config)
			p.write([]byte(handshakeFor(srv, "/")))
			p.wantSwitch()
			test.act(test.h, p)
			if _, end := p.closed(); end.Code != test.want {
				t.Errorf("closed with %v", end)
			}
			const alert = 21
			if len(raw.types) == 0 || raw.types[len(raw.types)-1] != alert || len(raw.read) > 0 {
				t.Errorf("the records are %d, and %d bytes", raw.types, len(raw.read))
			}
			p.tls.CloseWrite()
			if rest, err := io.ReadAll(p.TCPConn); err != nil || len(rest) > 0 {
				t.Errorf("after the close_notify: %q, %v", rest, err)
			}
		})
	}
}

// A client that reads slowly, and therefore answers pings late, is not taken
// for dead as long as it reads; nor does what waits for it get mixed up.
func TestSlowReaderWithPings(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(testing.TB, *Handler) *httptest.Server{"plain": serve, "TLS": serveTLS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Bounds: Bounds{PingInterval: time.Second}}, "flood")
			log := record(t, h)
			p := connect(t, serve(t, h))
			for pings := 0; pings < 4; { // two would be enough to be taken for dead
				f := p.next()
				if f.op == opPing {
					pings++
					p.write(appendFrame(nil, finBit|opPong, f.payload, true))
				} else if f.op != opText || len(f.payload) != 99 {
					t.Fatalf("got %x %.100q", f.op, f.payload)
				}
			}
			if log.has(an[Closed]()) {
				t.Error("it was taken for dead")
			}
			p.write(closing(1000, ""))
			p.wantClose(Ending{1000, ""})
		})
	}
}
