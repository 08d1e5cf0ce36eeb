package bridge

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A client answers a close reason that is not UTF-8 as a server does
// (case 7.5.1 of the Autobahn suite), with masked frames.
func TestClientOfBadReason(t *testing.T) {
	answer := make(chan []byte, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		fmt.Fprint(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
			acceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
		nc.Write(closeFrame(Close{1000, "half a rune: \xe2\x82"}, false))
		br := bufio.NewReader(nc)
		head := make([]byte, 2)
		if _, err := io.ReadFull(br, head); err != nil || head[0] != finBit|opClose || head[1]&maskBit == 0 {
			t.Errorf("answered with %x, %v", head, err)
		}
		rest := make([]byte, 4+int(head[1]&0x7f))
		io.ReadFull(br, rest)
		applyMask(rest[4:], [4]byte(rest))
		answer <- rest[4:]
	}))
	defer srv.Close()
	stdin, keep := io.Pipe()
	defer keep.Close()
	end, err := (&Client{Stdin: stdin, Stdout: io.Discard}).Run(t.Context(), srv.URL)
	if err != nil || end != errReasonNotUTF8 {
		t.Errorf("%v, %v", end, err)
	}
	if got := <-answer; binary.BigEndian.Uint16(got) != 1007 || !strings.HasSuffix(string(got), "not UTF-8") {
		t.Errorf("answered with %q", got)
	}
}
