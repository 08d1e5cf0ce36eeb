package bridge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// lying is a server that sends these bytes after a good handshake, and then
// reads to the end. The last that the client has sent comes on the channel: a
// close frame, as it should be.
func lying(t *testing.T, sent []byte) (url string, last <-chan Ending) {
	closed := make(chan Ending, 1) // and then closed, whatever comes
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer close(closed)
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(testLimit))
		fmt.Fprint(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
			wiretest.AcceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
		nc.Write(sent)
		all, _ := io.ReadAll(nc)
		if len(all) < 8 || all[0] != finBit|opClose || all[1] != maskBit|byte(len(all)-6) {
			t.Errorf("the client sent %x", all)
			return
		}
		_, payload, _, _ := parseFrame(t, all)
		closed <- Ending{int(binary.BigEndian.Uint16(payload)), string(payload[2:])}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, closed
}

// A server that breaks the protocol is told so, and what came before that is
// not lost.
func TestServersThatLie(t *testing.T) {
	message := appendFrame(nil, finBit|opText, []byte("good"), false)
	for _, test := range []struct {
		name string
		sent []byte
		want Ending
	}{
		{"masked text", appendFrame(nil, finBit|opText, []byte("bad"), true), Ending{1002, "masked frame from a server"}},
		{"masked ping", appendFrame(nil, finBit|opPing, nil, true), Ending{1002, "masked frame from a server"}},
		{"masked close", closing(1000, ""), Ending{1002, "masked frame from a server"}},
		{"length in more bytes than it needs", []byte{finBit | opText, 126, 0, 1, 'x'}, Ending{1002, "length in more bytes than it needs"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, last := lying(t, slices.Concat(message, test.sent))
			stdin, keep := io.Pipe()
			defer keep.Close()
			var out bytes.Buffer
			end, err := (&Client{Stdin: stdin, Stdout: &out}).Run(t.Context(), url)
			if err != nil || end != test.want || out.String() != "good\n" {
				t.Errorf("%v, %v after %q, want %v", end, err, out.String(), test.want)
			}
			if got := <-last; got != test.want {
				t.Errorf("the server was told %v, want %v", got, test.want)
			}
		})
	}
}

// What a server has sent before it closed is not lost in silence.
func TestOutputThatFailsAfterTheClose(t *testing.T) {
	url, last := lying(t, slices.Concat(appendFrame(nil, finBit|opText, []byte("lost"), false), closeFrame(Ending{Code: 1000}, false)))
	stdin, keep := io.Pipe()
	defer keep.Close()
	out := writerFunc(func([]byte) (int, error) {
		<-last
		return 0, io.ErrShortWrite
	})
	end, err := (&Client{Stdin: stdin, Stdout: out}).Run(t.Context(), url)
	if end.Code != 1000 || err == nil || err.Error() != "cannot write output: short write" {
		t.Errorf("%v, %v", end, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
