package cmd

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/site/livereload"
	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// A page that listens does not hold up the end of the server.
func TestServeEndsWithAStream(t *testing.T) {
	for proto := 1; proto <= 2; proto++ {
		s := startTLSWith(t, timeouts{pages: time.Hour}, "--livereload", "--staticdir="+sitetest.Public(t), "child", "echo")
		transport := &http.Transport{TLSClientConfig: s.config.Clone(), ForceAttemptHTTP2: proto == 2}
		resp, err := (&http.Client{Transport: transport}).Get("https://" + s.addr + livereload.Stream)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.ProtoMajor != proto {
			t.Errorf("the answer is in %s", resp.Proto)
		}
		s.stop()
		if rest, err := io.ReadAll(resp.Body); err != nil || !strings.HasPrefix(string(rest), "data: ") {
			t.Errorf("the stream: %q, %v", rest, err)
		}
		if err := receive(t, s.ended); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
	}
}
