package bridge

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func init() {
	// late answers a line after so many milliseconds, and then waits for the end.
	children["late"] = func(args []string) {
		in := bufio.NewReader(os.Stdin)
		line, _ := in.ReadString('\n')
		time.Sleep(time.Duration(number(args[0])) * time.Millisecond)
		fmt.Print(line)
		_, _ = io.Copy(io.Discard, in)
	}
	// last answers the end of its input.
	children["last"] = func([]string) {
		n, _ := io.Copy(io.Discard, os.Stdin)
		fmt.Printf("%d bytes\n", n)
	}
	children["farewells"] = func(args []string) {
		time.Sleep(time.Duration(number(args[0])) * time.Millisecond)
		fmt.Println("goodbye")
	}
}

// An answer that takes longer than Linger is waited for, over each kind of connection.
func TestClientWaitsForAnAnswer(t *testing.T) {
	for name, again := range map[string]*Reconnect{"once": nil, "resume": {Resume: true}, "reconnect": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{}, "late", "300")
			if again != nil && again.Resume {
				h.Hosting = Resume{For: time.Minute}
			}
			srv := serve(t, h)
			var out bytes.Buffer
			c := &Client{Stdin: strings.NewReader("hello"), Stdout: &out, Linger: 20 * time.Millisecond, AnswerTimeout: testLimit, Reconnect: again}
			end, err := c.Run(t.Context(), srv.URL)
			if err != nil || end.Code != 1000 || out.String() != "hello\n" {
				t.Errorf("%q, %v, %v", out.String(), end, err)
			}
		})
	}
}

// The time without a connection does not count: what is under way when the connection
// is lost is waited for behind it.
func TestResumingClientWaitsForAnAnswer(t *testing.T) {
	t.Parallel()
	srv := serve(t, child(&Handler{Hosting: Resume{For: time.Minute}}, "late", "1000"))
	cut := cutBetween(t, srv, never)
	var out bytes.Buffer
	lost := time.AfterFunc(testLimit, cut.cutAll)
	defer lost.Stop()
	first := sync.OnceFunc(func() { lost.Reset(500 * time.Millisecond) })
	ctx := WithTrace(t.Context(), &Trace{Connected: func(*http.Response) { first() }})
	c := &Client{
		Stdin: strings.NewReader("hello"), Stdout: &out, Linger: 20 * time.Millisecond, AnswerTimeout: testLimit,
		Reconnect: &Reconnect{Resume: true, wait: noWait},
	}
	end, err := c.Run(ctx, cut.url(""))
	if err != nil || end.Code != 1000 || out.String() != "hello\n" {
		t.Errorf("%q, %v, %v", out.String(), end, err)
	}
}

// One that does not come is an error, of a session that has been closed with 1000.
func TestClientGetsNoAnswer(t *testing.T) {
	for _, test := range []struct {
		name, in        string
		linger, timeout time.Duration
		want            error
	}{
		{"asked", "hello\n", time.Millisecond, 50 * time.Millisecond, ErrNoAnswer},
		{"not asked", "", time.Millisecond, testLimit, nil},
		{"not expected", "hello\n", time.Millisecond, 0, nil},
		{"not waited for", "hello\n", 0, testLimit, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, child(&Handler{Framing: ReadOnly{}}, "echo"))
			for _, again := range []*Reconnect{nil, {}} {
				c := &Client{Stdin: strings.NewReader(test.in), Linger: test.linger, AnswerTimeout: test.timeout, Reconnect: again}
				if end, err := c.Run(t.Context(), srv.URL); end.Code != 1000 || err != test.want {
					t.Errorf("%v, %v", end, err)
				}
			}
		})
	}
}

// With a negative Linger it is the server that closes.
func TestClientLingersForever(t *testing.T) {
	t.Parallel()
	srv := serve(t, child(&Handler{}, "farewells", "300"))
	var out bytes.Buffer
	c := &Client{Stdout: &out, Linger: -1}
	if end, err := c.Run(t.Context(), srv.URL); err != nil || end.Code != 1000 || out.String() != "goodbye\n" {
		t.Errorf("%q, %v, %v", out.String(), end, err)
	}
}

// An answer to the end of the input comes behind the client's close frame, and counts.
func TestClientGetsItsAnswerAtTheEnd(t *testing.T) {
	t.Parallel()
	srv := serve(t, child(&Handler{Bounds: Bounds{Grace: testLimit}}, "last"))
	var out bytes.Buffer
	c := &Client{Stdin: strings.NewReader("a\nb\n"), Stdout: &out, Linger: time.Millisecond, AnswerTimeout: 50 * time.Millisecond}
	if end, err := c.Run(t.Context(), srv.URL); err != nil || end.Code != 1000 || out.String() != "4 bytes\n" {
		t.Errorf("%q, %v, %v", out.String(), end, err)
	}
}
