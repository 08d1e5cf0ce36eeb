package bridge

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// What cannot be continued is told at once, and not tried again.
func TestResumingClientIsRefused(t *testing.T) {
	status := 404
	refusing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
	s := newStdio(t)
	c, _ := comes(t, s, true)
	plain := serve(t, child(&Handler{}, "echo"))
	if _, err := c.Run(t.Context(), plain.URL); !errors.Is(err, ErrNotResumable) {
		t.Errorf("a server without Resume: %v", err)
	}
	if _, err := c.Run(t.Context(), plain.URL+"/?resume=short"); !errors.Is(err, ErrBadKey) {
		t.Errorf("a bad key: %v", err)
	}
	h := resumable("echo")
	behind := &switchable{to: h}
	srv := serveAny(t, behind)
	proxy := cutBetween(t, srv, never)
	ended := runs(t, c, proxy.url(""))
	s.say("x\n")
	s.want("x\n")
	behind.set(refusing)
	proxy.cutAll()
	got := <-ended
	if e, ok := errors.AsType[*wire.RefusedError](got.err); !ok || e.Status != 404 || strings.Contains(e.URL, "resume") {
		t.Errorf("%v, %v", got.end, got.err)
	}
	h.Shutdown(t.Context())
	for code, final := range map[int]bool{400: true, 403: true, 404: true, 408: false, 425: false, 429: false, 500: false, 503: false, 200: false} {
		status = code
		s := serveAny(t, refusing)
		_, err := (&Client{}).Run(t.Context(), s.URL)
		if isFinal(err) != final {
			t.Errorf("%d: final %t, %v", code, isFinal(err), err)
		}
	}
}

// The bytes that wait for a server are bounded: then no more is read.
func TestResumingClientHoldsBack(t *testing.T) {
	h := resumable("echo")
	proxy := cutBetween(t, serve(t, h), never)
	s := newStdio(t)
	c, told := comes(t, s, true)
	back := make(chan struct{})
	c.Reconnect.Buffer = 4 << 10
	c.Reconnect.wait = func(int) time.Duration { <-back; return 0 }
	ended := runs(t, c, proxy.url(""))
	s.say("x\n")
	s.want("x\n")
	proxy.cutAll()
	told.wait(an[Away]())
	lines := manyLines(100_000)
	said := started(func() { s.say(lines) })
	select {
	case <-said:
		t.Error("all was read while there was no connection")
	case <-time.After(50 * time.Millisecond):
	}
	close(back)
	<-said
	s.want("x\n" + lines)
	s.in.Close()
	wantResult(t, ended, Ending{1000, ""}, nil)
}

// A Command outlives connections with Resume, and is started for each without.
func TestReconnectingCommand(t *testing.T) {
	t.Setenv(childVar, "1")
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	for _, resume := range []bool{true, false} {
		h := resumable("ask", "well?")
		if !resume {
			h.Hosting = nil
		}
		events := record(t, h)
		proxy := cutBetween(t, serve(t, h), func(n int) (int, int) {
			if n == 0 {
				return 100, -1 // the handshake at most
			}
			if n < 5 {
				return 330, -1
			}
			return -1, -1
		})
		proxy.n.Store(1)
		c := &Client{Command: []string{self, "echo"}, Reconnect: &Reconnect{Resume: resume, wait: noWait}}
		end, err := c.Run(t.Context(), proxy.url(""))
		if err != nil || end != (Ending{4042, "exit status 42"}) {
			t.Errorf("resume %t: %v, %v", resume, end, err)
		}
		if n := events.count(an[Started]()); resume && n != 1 {
			t.Errorf("%d programs", n)
		}
	}
}

// Without Resume each connection is a new session, also after the server has closed
// with a code that says so.
func TestReconnectingClient(t *testing.T) {
	var connections int
	codes := []string{"", "\x03\xe9bye", "\x03\xf4", "\x03\xf5", "\x0f\xa3"} // lost, 1001, 1012, 1013, 4003
	srv := handshakeThen(t, func(nc net.Conn) {
		n := connections
		connections++
		nc.Write([]byte("\x81\x02hi"))
		if n > 0 {
			nc.Write(append([]byte{0x88, byte(len(codes[n]))}, codes[n]...))
			io.Copy(io.Discard, nc)
		}
	})
	s := newStdio(t)
	c, told := comes(t, s, false)
	wantResult(t, runs(t, c, srv.URL), Ending{4003, ""}, nil)
	if got := s.text(); got != strings.Repeat("hi\n", 5) {
		t.Errorf("got %q", got)
	}
	if n := told.count(an(func(e Back) bool { return !e.Resumed })); n != 4 {
		t.Errorf("it has come back %d times", n)
	}
	for code, again := range map[int]bool{1000: false, 1002: false, 1005: false, 1006: true, 1008: false, 1011: false, 4001: false, 4409: false} {
		if got := new(Reconnect).comesAgain(wire.Ending{Code: code}); got != again {
			t.Errorf("%d: again %t", code, got)
		}
		if got := (&Reconnect{Resume: true}).comesAgain(wire.Ending{Code: code}); got != (code == 1006) {
			t.Errorf("%d with Resume: again %t", code, got)
		}
	}
}

// With Share, a client continues the run that it was told.
func TestResumingClientOfAShare(t *testing.T) {
	h := child(&Handler{Hosting: Share{Keep: time.Hour}}, "echo")
	events := record(t, h)
	proxy := cutBetween(t, serve(t, h), never)
	s := newStdio(t)
	c, told := comes(t, s, true)
	ended := runs(t, c, proxy.url(""))
	want := ""
	for i := range 4 {
		line := string(rune('a'+i)) + "\n"
		s.say(line)
		want += line
		s.want(want)
		proxy.cutAll()
		told.waitFor(i+1, an(func(e Back) bool { return e.Resumed }))
	}
	s.in.Close()
	wantResult(t, ended, Ending{1000, ""}, nil)
	if n := events.count(an[Started]()); n != 1 {
		t.Errorf("%d programs", n)
	}
}

// While there is no connection, the time of Linger stands still.
func TestResumingClientLingers(t *testing.T) {
	const linger = 20 * time.Millisecond
	proxy := cutBetween(t, serve(t, resumable("echo")), never)
	s := newStdio(t)
	c, told := comes(t, s, true)
	back := make(chan struct{})
	c.Linger = linger
	c.Reconnect.wait = func(int) time.Duration { <-back; return 0 }
	ended := runs(t, c, proxy.url(""))
	s.say("x\n")
	s.want("x\n")
	proxy.cutAll()
	told.wait(an[Away]())
	s.in.Close()
	select {
	case got := <-ended:
		t.Errorf("it has ended: %v, %v", got.end, got.err)
	case <-time.After(5 * linger):
	}
	close(back)
	wantResult(t, ended, Ending{1000, ""}, nil)
}
