package cmd

import (
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
)

// The time stands before each line, however it is cut into writes.
func TestStampedWriter(t *testing.T) {
	const text = "one\n\ntwo three\nlast"
	const want = "01:02:03.004 one\n01:02:03.004 \n01:02:03.004 two three\n01:02:03.004 last"
	now := func() time.Time { return time.Date(2001, 1, 1, 1, 2, 3, 4_000_000, time.UTC) }
	for cut := range len(text) + 1 {
		var out strings.Builder
		w := &stampedWriter{w: &out, now: now}
		for _, part := range []string{text[:cut], text[cut:]} {
			if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if out.String() != want {
			t.Errorf("cut at %d: %q", cut, out.String())
		}
	}
}

func TestTimestamps(t *testing.T) {
	for _, test := range []struct {
		args string
		want string
	}{
		{"--timestamps ws://h", ""},
		{"--timestamps --framing=json ws://h", ""},
		{"--timestamps --binary ws://h", "--framing=bytes, which has no lines"},
		{"--timestamps --framing=nul ws://h", "--framing=nul, which has no lines"},
		{"--timestamps ws://h -- cat", "cannot be combined with a COMMAND"},
	} {
		_, o, status, stderr := parse(append([]string{"connect"}, strings.Fields(test.args)...)...)
		if (status == 0) != (test.want == "") || !strings.Contains(stderr, test.want) || status == 0 && !o.timestamps {
			t.Errorf("%s: %d, %s", test.args, status, stderr)
		}
	}
}

// A code without a reason is told in words.
func TestCloseWords(t *testing.T) {
	for _, test := range []struct {
		end  bridge.Ending
		want string
	}{
		{bridge.Ending{Code: 1008}, "closed by the server with 1008 (policy violation)"},
		{bridge.Ending{Code: 1008, Reason: "no"}, "closed by the server with 1008: no"},
		{bridge.Ending{Code: 1009}, "the connection was closed with 1009 (message too big)"},
		{bridge.Ending{Code: 3000}, "closed by the server with 3000"},
	} {
		if got := closeText(test.end); got != test.want {
			t.Errorf("%v: %s", test.end, got)
		}
	}
}
