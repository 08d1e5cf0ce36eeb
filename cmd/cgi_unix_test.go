//go:build unix

package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The body of a request must come in time; the answer may take longer.
func TestSlowPrograms(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\nbody=$(cat)\nsleep 0.3\necho 'Content-Type: text/plain'\necho\necho \"got $body\"\n"
	if err := os.WriteFile(filepath.Join(dir, "slow.sh"), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	addr, _ := openWith(t, timeouts{header: 100 * time.Millisecond}, "--cgidir="+dir)
	for _, test := range []struct {
		request string
		status  int
		body    string
	}{
		{"Content-Length: 4\r\n\r\nbody", 200, "got body\n"},
		{"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", 200, "got body\n"},
		{"\r\n", 200, "got \n"},
		{"Content-Length: 5\r\n\r\nbody", 408, "request body too slow"},
		{"Content-Length: 5\r\n\r\n", 408, "request body too slow"},
	} {
		w := dial(t, addr)
		w.say("POST /slow.sh HTTP/1.1\r\nHost: localhost\r\n" + test.request)
		if status, text := w.answer("POST"); status != test.status || !strings.Contains(text, test.body) {
			t.Errorf("%q: %q", test.request, text)
		}
	}
}
