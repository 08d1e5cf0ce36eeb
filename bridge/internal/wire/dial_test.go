package wire

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// Both ends of ours talk to each other, over TCP and over TLS, compressed when
// both are told to.
func TestBothEnds(t *testing.T) {
	messages := []string{"one", "", strings.Repeat("compressible ", 1000), strings.Repeat("x", 1<<20), "last"}
	for _, tls := range []bool{false, true} {
		for _, compress := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			t.Run(fmt.Sprintf("TLS %t, compress %t", tls, compress), func(t *testing.T) {
				srv := httptest.NewUnstartedServer(echo{t, Options{MaxMessageSize: 1 << 20, Compress: compress[0]}})
				if tls {
					srv.StartTLS()
				} else {
					srv.Start()
				}
				defer srv.Close()
				config := srv.Client().Transport.(*http.Transport).TLSClientConfig
				o := Options{MaxMessageSize: 1 << 20, Compress: compress[1]}
				c, err := Dial(t.Context(), srv.URL, http.Header{"Host": {"example.com"}}, config, o)
				if err != nil {
					t.Fatal(err)
				}
				if c.NewBatch().Compresses() != (compress[0] && compress[1]) {
					t.Errorf("it compresses: %t", c.compress)
				}
				in := receive(c)
				if err := send(c, messages...); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the echo", func() bool { return len(in.messages()) == len(messages) })
				in.want(t, messages...)
				if c.Received() != c.Sent() || c.Sent().Messages != int64(len(messages)) {
					t.Errorf("sent %+v, received %+v", c.Sent(), c.Received())
				}
				if c.IsGone() {
					t.Error("the server has gone")
				}
				c.Stop()
				in.ends(t, ErrStopped)
				if end := c.Close(Ending{4321, "bye"}, time.Minute); end != (Ending{4321, "bye"}) {
					t.Errorf("closed with %v", end)
				}
			})
		}
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// What the server sends together with its handshake is not lost, whatever it is.
func TestFramesBehindTheHandshake(t *testing.T) {
	frames := appendFrame(nil, finBit|opText, []byte("first"), false)
	frames = appendFrame(frames, finBit|opPing, []byte("?"), false)
	frames = appendFrame(frames, finBit|opText, []byte(strings.Repeat("x", 10_000)), false)
	frames = append(frames, closeFrame(Ending{4001, "done"}, false)...)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
			wiretest.AcceptKey(r.Header.Get("Sec-WebSocket-Key")) + "\r\n\r\n"
		if _, err := nc.Write(append([]byte(answer), frames...)); err != nil {
			t.Error(err)
		}
		pong, err := readFrame(nc)
		if err != nil || pong.first != finBit|opPong || !pong.masked || string(pong.payload) != "?" {
			t.Errorf("answered with %+v, %v", pong, err)
		}
		end, err := readFrame(nc)
		if err != nil || end.ending() != (Ending{4001, "done"}) {
			t.Errorf("answered with %+v, %v", end, err)
		}
	}))
	defer srv.Close()
	c, err := Dial(t.Context(), srv.URL, nil, nil, Options{MaxMessageSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	in := receive(c)
	in.ends(t, Ending{4001, "done"})
	in.want(t, "first", strings.Repeat("x", 10_000))
	c.Leave()
}

// Early bytes of a client, and a header that is split there, are not lost.
func TestFramesWithTheHandshake(t *testing.T) {
	in := append(text("first"), text(strings.Repeat("x", 300))...)
	in = append(in, closing(4001, "done")...)
	for early := range len(in) {
		theirs, ours := net.Pipe()
		c := accepted(t, Options{MaxMessageSize: 1000}, ours, in[:early])
		r := receive(c)
		p := &peer{Conn: theirs, t: t}
		p.write(in[early:])
		if f, err := readFrame(theirs); err != nil || f.ending() != (Ending{4001, "done"}) {
			t.Fatalf("%d early bytes: answered with %+v, %v", early, f, err)
		}
		r.ends(t, Ending{4001, "done"})
		r.want(t, "first", strings.Repeat("x", 300))
		theirs.Close()
		c.Leave()
	}
}
