package bridge

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// The answers to offers of permessage-deflate (RFC 7692, section 7.1), as they
// come over a socket. What cannot be met, or is malformed, gets a connection
// without compression.
func TestOffersOfCompression(t *testing.T) {
	const (
		plain  = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
		window = plain + "; server_max_window_bits=15" // must be answered (section 7.1.2.1)
		none   = ""
	)
	srv := serve(t, child(&Handler{Compress: true}, "echo"))
	for _, test := range []struct {
		offers []string // lines of the header
		want   string
	}{
		{nil, none},
		{[]string{"permessage-deflate"}, plain},
		{[]string{"permessage-deflate; server_max_window_bits=15"}, window},
		{[]string{"permessage-deflate; client_max_window_bits; server_max_window_bits=15"}, window},
		{[]string{`permessage-deflate; server_max_window_bits="15"`}, window},
		{[]string{"permessage-deflate; server_max_window_bits = 15 ; client_no_context_takeover"}, window},
		{[]string{"permessage-deflate; server_max_window_bits=14"}, none},
		{[]string{"permessage-deflate; server_max_window_bits=8"}, none},
		{[]string{"permessage-deflate; server_max_window_bits"}, none},
		{[]string{"permessage-deflate; server_max_window_bits=015"}, none},
		{[]string{"permessage-deflate; client_max_window_bits=8"}, plain},
		{[]string{`permessage-deflate; client_max_window_bits="12"`}, plain},
		{[]string{"permessage-deflate; client_max_window_bits=7"}, none},
		{[]string{"permessage-deflate; client_max_window_bits=16"}, none},
		{[]string{"permessage-deflate; client_max_window_bits=08"}, none},
		{[]string{"permessage-deflate; client_max_window_bits=x"}, none},
		{[]string{"permessage-deflate; client_max_window_bits; client_max_window_bits"}, none},
		{[]string{"permessage-deflate; server_no_context_takeover; server_no_context_takeover"}, none},
		{[]string{"permessage-deflate; server_max_window_bits=15; server_max_window_bits=15"}, none},
		{[]string{"permessage-deflate; server_no_context_takeover=1"}, none},
		{[]string{"permessage-deflate; unheard_of"}, none},
		{[]string{"permessage-deflate; server_max_window_bits=10, permessage-deflate"}, plain},
		{[]string{
			"permessage-deflate; server_max_window_bits=10",
			"permessage-deflate; server_max_window_bits=15",
		}, window},
		{[]string{`other; a="b", permessage-deflate`}, plain},
		{[]string{"permessage-deflate, other;"}, none},
		{[]string{"permessage-deflate", `other; a="b`}, none},
	} {
		var lines []string
		for _, offer := range test.offers {
			lines = append(lines, "Sec-WebSocket-Extensions: "+offer)
		}
		p := dial(t, srv.Listener.Addr().String())
		p.write([]byte(handshakeFor(srv, "/", lines...)))
		resp, err := http.ReadResponse(p.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(resp.Header.Values("Sec-WebSocket-Extensions"), "|")
		if resp.StatusCode != http.StatusSwitchingProtocols || got != test.want {
			t.Errorf("%q: %s, answered with %q, want %q", test.offers, resp.Status, got, test.want)
			continue
		}
		// It is what both ends then do.
		p.compresses = test.want != none
		line := strings.Repeat("compressible ", 100)
		p.write(text(line))
		if message, frames := p.inflate(); message != line || frames[0].rsv1 != (got != none) {
			t.Errorf("%q: %d bytes came back, RSV1 %t", test.offers, len(message), frames[0].rsv1)
		}
		p.Close()
	}
}

// A client judges the answer of its server by the same rules.
func TestAnswersOfServers(t *testing.T) {
	const plain = "permessage-deflate; server_no_context_takeover"
	for _, test := range []struct {
		answer []string
		good   bool
	}{
		{nil, true},
		{[]string{plain}, true},
		{[]string{plain + "; client_no_context_takeover"}, true},
		{[]string{plain + "; server_max_window_bits=10"}, true}, // a server may say so unasked
		{[]string{`permessage-deflate; server_no_context_takeover;server_max_window_bits="15"`}, true},
		{[]string{"permessage-deflate"}, false},
		{[]string{plain + "; client_max_window_bits=15"}, false}, // only if that was offered
		{[]string{plain + "; server_max_window_bits=7"}, false},
		{[]string{plain + "; server_max_window_bits"}, false},
		{[]string{plain + "; server_no_context_takeover"}, false},
		{[]string{plain + "; client_no_context_takeover=1"}, false},
		{[]string{plain + "; unheard_of"}, false},
		{[]string{plain + ", other"}, false},
		{[]string{"other"}, false},
		{[]string{plain, plain}, false},
	} {
		t.Run(strings.Join(test.answer, "|"), func(t *testing.T) {
			t.Parallel()
			if err := answeredBy(t, test.answer); (err == nil) != test.good {
				t.Error(err)
			}
		})
	}
}

// answeredBy is the error of a Client that offers compression to a server with
// this answer.
func answeredBy(t *testing.T, answer []string) error {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(testLimit))
		fmt.Fprintf(nc, switching, wiretest.AcceptKey(r.Header.Get("Sec-WebSocket-Key")))
		for _, line := range answer {
			fmt.Fprintf(nc, "Sec-WebSocket-Extensions: %s\r\n", line)
		}
		nc.Write(append([]byte("\r\n"), closeFrame(Ending{Code: 1000}, false)...))
		io.Copy(io.Discard, nc)
	}))
	defer srv.Close()
	stdin, keep := io.Pipe()
	defer keep.Close()
	_, err := (&Client{Stdin: stdin, Stdout: io.Discard, Compress: true}).Run(t.Context(), srv.URL)
	return err
}
