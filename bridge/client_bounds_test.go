package bridge

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"
)

// limited is a Client that takes messages up to a size, as Handler does.
func limited(limit int) *Client { return &Client{MaxMessageSize: limit} }

// Below 0, a Client takes messages of any size, as a Handler does.
func TestClientWithoutALimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{-1, -2, math.MinInt} {
		srv := serve(t, child(&Handler{}, "line", "3000000", "1"))
		stdin, keep := io.Pipe()
		defer keep.Close()
		var out bytes.Buffer
		c := limited(limit)
		c.Stdin, c.Stdout = stdin, &out
		end, err := c.Run(t.Context(), srv.URL)
		if err != nil || end.Code != 1000 || out.String() != strings.Repeat("x", 3_000_000)+"\nx\n" {
			t.Errorf("limit %d: %d bytes, %v, %v", limit, out.Len(), end, err)
		}
	}
}

// A Client's limit is that of each message.
func TestClientLimit(t *testing.T) {
	for _, test := range []struct {
		limit, code int
	}{
		{0, 1009}, // 1 MiB
		{1 << 20, 1009},
		{2_000_000, 1000},
	} {
		srv := serve(t, child(&Handler{}, "line", "1", "2000000"))
		stdin, keep := io.Pipe()
		defer keep.Close()
		var out bytes.Buffer
		c := limited(test.limit)
		c.Stdin, c.Stdout = stdin, &out
		end, err := c.Run(t.Context(), srv.URL)
		if err != nil || end.Code != test.code || !strings.HasPrefix(out.String(), "x\n") {
			t.Errorf("limit %d: %d bytes, %v, %v", test.limit, out.Len(), end, err)
		}
	}
}

// Where a Client has no Stdin or Stdout it has the null device, as in os/exec.
func TestClientOfNothing(t *testing.T) {
	for _, test := range []struct {
		name  string
		child []string
		stdin io.Reader
		out   bool // there is a Stdout
		want  string
		end   Ending
	}{
		{"no Stdin", []string{"line", "3", "0"}, nil, true, "xxx\n\n", Ending{Code: 1000}},
		{"no Stdout", []string{"line", "3", "0"}, strings.NewReader(""), false, "", Ending{Code: 1000}},
		{"no Stdout, and input", []string{"ask", "well?"}, strings.NewReader("well?\n"), false, "", Ending{4042, "exit status 42"}},
		{"neither", []string{"exit", "3"}, nil, false, "", Ending{4003, "exit status 3"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := serve(t, child(&Handler{}, test.child[0], test.child[1:]...))
			c := &Client{Command: []string{}, Stdin: test.stdin, Linger: testLimit} // as good as nil
			var out bytes.Buffer
			if test.out {
				c.Stdout = &out
			}
			end, err := c.Run(t.Context(), srv.URL)
			if err != nil || end != test.end || out.String() != test.want {
				t.Errorf("got %q, %v, %v", out.String(), end, err)
			}
		})
	}
	srv := serve(t, child(&Handler{}, "echo"))
	if end, err := (&Client{}).Run(t.Context(), srv.URL); err != nil || end.Code != 1000 {
		t.Errorf("without Linger: %v, %v", end, err)
	}
}
