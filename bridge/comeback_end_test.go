package bridge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stdio is the input and output of a Client that a test talks to.
type stdio struct {
	io.Reader
	in  *io.PipeWriter
	mu  sync.Mutex
	out bytes.Buffer
	t   testing.TB
}

func newStdio(t testing.TB) *stdio {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	return &stdio{Reader: r, in: w, t: t}
}

func (s *stdio) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func (s *stdio) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

func (s *stdio) say(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, text); err != nil {
		s.t.Fatal(err)
	}
}

// want waits for all of the output.
func (s *stdio) want(text string) {
	s.t.Helper()
	until(s.t, func() bool { return s.text() == text }, func() string { return "the output " + text + ", got " + s.text() })
}

// comes is a Client that comes back at once, and what it tells.
func comes(t testing.TB, s *stdio, resume bool) (*Client, *eventLog) {
	told := &eventLog{t: t, more: make(chan struct{})}
	return &Client{Stdin: s, Stdout: s, Reconnect: &Reconnect{Resume: resume, Events: told.add, wait: noWait}}, told
}

// A result is that of a Client's Run.
type result struct {
	end Ending
	err error
}

func runs(t testing.TB, c *Client, url string) <-chan result {
	ended := make(chan result, 1)
	go func() {
		end, err := c.Run(t.Context(), url)
		ended <- result{end, err}
	}()
	return ended
}

func wantResult(t testing.TB, ended <-chan result, want Ending, err error) {
	t.Helper()
	select {
	case got := <-ended:
		if got.end != want || !errors.Is(got.err, err) {
			t.Errorf("got %v, %v, want %v, %v", got.end, got.err, want, err)
		}
	case <-time.After(testLimit):
		t.Fatal("it does not end")
	}
}

// The end of the program is told by its close code, also to a client that was away.
func TestResumingClientIsTold(t *testing.T) {
	srv := serve(t, resumable("lines", "1000", "20"))
	proxy := cutBetween(t, srv, func(n int) (int, int) {
		if n == 0 {
			return -1, 2000
		}
		return -1, -1
	})
	s := newStdio(t)
	c, told := comes(t, s, true)
	ended := runs(t, c, proxy.url(""))
	s.say("go\n")
	wantResult(t, ended, Ending{4005, "exit status 5"}, nil)
	if got := strings.Count(s.text(), "\n"); got != 1000 {
		t.Errorf("%d lines", got)
	}
	if !told.has(an[Away]()) || !told.has(an(func(e Back) bool { return e.Resumed })) {
		t.Error("it has told nothing")
	}
}

// A session that is gone when the client comes back is a failure, whether messages
// had come or not.
func TestResumingClientComesTooLate(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"echo", "count"} { // which says nothing yet
		h := resumable(program)
		events := record(t, h)
		srv := serve(t, h)
		proxy := cutBetween(t, srv, never)
		s := newStdio(t)
		c, _ := comes(t, s, true)
		back := make(chan struct{})
		c.Reconnect.wait = func(int) time.Duration { <-back; return 0 }
		ended := runs(t, c, proxy.url(keyed(testKey)))
		events.wait(anAttachment)
		s.say("x\n")
		until(t, func() bool { return given(h) == 1 }, func() string { return "the message" })
		if program == "echo" {
			s.want("x\n")
		}
		proxy.cutAll()
		events.wait(aDetachment)
		resume(t, srv, keyed(testKey), false).write(closing(1000, ""))
		events.wait(an[Closed]())
		close(back)
		wantResult(t, ended, errNoSession, nil)
		// A program that was started in vain is ended.
		until(t, func() bool { return h.sessions() == 0 }, func() string { return "the end" })
	}
}

// given is how many messages the only hub's program has been given.
func given(h *Handler) (n int64) {
	s := h.service()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, hub := range s.hubs {
		n += hub.Received().Messages
	}
	return n
}

// Another client with the key ends the first one for good.
func TestResumingClientIsTakenOver(t *testing.T) {
	h := resumable("echo")
	srv := serve(t, h)
	s := newStdio(t)
	c, _ := comes(t, s, true)
	ended := runs(t, c, srv.URL+"/?"+keyed(testKey))
	s.say("x\n")
	s.want("x\n")
	p := resume(t, srv, keyed(testKey), false)
	wantResult(t, ended, errTakenOver, nil)
	p.wantMessages("x")
}

// A client that is asked to end tells the server that nobody comes back, unless
// somebody else knows the key.
func TestResumingClientIsStopped(t *testing.T) {
	for _, query := range []string{"", keyed(testKey)} {
		h := resumable("echo")
		events := record(t, h)
		ctx, cancel := context.WithCancel(t.Context())
		s := newStdio(t)
		c, _ := comes(t, s, true)
		ended := make(chan result, 1)
		url := serve(t, h).URL + "/?" + query
		go func() {
			end, err := c.Run(ctx, url)
			ended <- result{end, err}
		}()
		s.say("x\n")
		s.want("x\n")
		cancel()
		if query == "" {
			wantResult(t, ended, Ending{1000, ""}, nil)
			events.wait(closedWith(1000))
		} else {
			wantResult(t, ended, Ending{1001, ""}, nil)
			events.wait(aDetachment)
			if events.has(an[Closed]()) {
				t.Error("the session has ended")
			}
		}
	}
}

// A client that is away ends at once when it is asked to.
func TestResumingClientIsStoppedWhileAway(t *testing.T) {
	srv := serve(t, resumable("echo"))
	proxy := cutBetween(t, srv, never)
	s := newStdio(t)
	c, told := comes(t, s, true)
	c.Reconnect.wait = func(int) time.Duration { return time.Hour }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan result, 1)
	go func() {
		end, err := c.Run(ctx, proxy.url(""))
		ended <- result{end, err}
	}()
	s.say("x\n")
	s.want("x\n")
	proxy.cutAll()
	told.wait(an[Retrying]())
	cancel()
	wantResult(t, ended, errLost, nil)
}

// After its time without a connection, a client gives up.
func TestClientGivesUp(t *testing.T) {
	for _, resume := range []bool{false, true} {
		srv := serve(t, resumable("echo"))
		proxy := cutBetween(t, srv, never)
		s := newStdio(t)
		c, told := comes(t, s, resume)
		c.Reconnect.For = 100 * time.Millisecond
		c.Reconnect.wait = func(tries int) time.Duration { return time.Duration(tries) * time.Millisecond }
		ended := runs(t, c, proxy.url(""))
		s.say("x\n")
		s.want("x\n")
		proxy.Close()
		proxy.cutAll()
		got := <-ended
		if e, ok := errors.AsType[*GaveUpError](got.err); !ok || e.After != c.Reconnect.For || e.Err == nil {
			t.Errorf("%v, %v", got.end, got.err)
		}
		told.wait(an[Retrying]())
	}
}
