package bridge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	// goodbye says hello, echoes lines and says goodbye at the end of its input.
	children["goodbye"] = func([]string) {
		signal.Ignore(os.Interrupt, syscall.SIGTERM)
		fmt.Println("hello")
		io.Copy(os.Stdout, os.Stdin)
		fmt.Println("goodbye")
	}
	// adieu SIZE is that with much to say at the end.
	children["adieu"] = func(args []string) {
		signal.Ignore(os.Interrupt, syscall.SIGTERM)
		fmt.Println("hello")
		io.Copy(io.Discard, os.Stdin)
		out := bufio.NewWriter(os.Stdout)
		defer out.Flush()
		for i := range number(args[0]) {
			fmt.Fprintf(out, "%99d\n", i)
		}
	}
}

var hostings = map[string]Hosting{
	"own":    nil,
	"resume": Resume{For: time.Hour},
	"share":  Share{Replay: 1},
}

// connectFor connects with a key, which only Resume takes note of.
func connectFor(t testing.TB, srv *httptest.Server) *peer {
	return connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/?"+keyed(testKey)))
}

// Whoever's a program is, what it says at the end of the server or of its time
// arrives.
func TestLastWords(t *testing.T) {
	for name, hosting := range hostings {
		t.Run(name, func(t *testing.T) {
			h := child(&Handler{Hosting: hosting, Bounds: Bounds{Grace: testLimit}}, "goodbye")
			p := connectFor(t, serve(t, h))
			if got := p.message(); got != "hello" {
				t.Fatal(got)
			}
			done := make(chan error)
			go func() { done <- h.Shutdown(t.Context()) }()
			if messages, end := p.closed(); !slices.Equal(messages, []string{"goodbye"}) || end != errShutdown {
				t.Errorf("%q, %v", messages, end)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// Rule 9: 1001 by a timeout comes behind all output, and is kept for a client that
// was away.
func TestResumeTimeouts(t *testing.T) {
	for _, away := range []bool{false, true} {
		for want, bounds := range map[Ending]Bounds{
			errTimeout: {Timeout: 300 * time.Millisecond, Grace: testLimit},
			errIdle:    {IdleTimeout: 300 * time.Millisecond, Grace: testLimit},
		} {
			t.Run(fmt.Sprintf("%s, away=%t", want.Reason, away), func(t *testing.T) {
				t.Parallel()
				const lines = 20_000
				h := child(&Handler{Hosting: Resume{For: time.Hour, Buffer: 64 << 10}, Bounds: bounds}, "adieu", fmt.Sprint(lines))
				events := record(t, h)
				srv := serve(t, h)
				p := connectFor(t, srv)
				if got := p.message(); got != "hello" {
					t.Fatal(got)
				}
				if away {
					p.SetLinger(0)
					p.Close()
					events.wait(aDetachment)
					time.Sleep(2*drainLimit + time.Second) // longer than an end that is not kept would last
					p = connectFor(t, srv)
				}
				messages, end := p.closed()
				if n := len(messages); end != want || n == 0 || n < lines || strings.TrimSpace(messages[n-1]) != fmt.Sprint(lines-1) {
					t.Errorf("%d messages, %v", n, end)
				}
				events.wait(an[Closed](func(e Closed) bool { return e.Ending == want }))
			})
		}
	}
}

// A client that comes when its program has just ended starts another one, also if
// it ended after the client had been let in.
func TestTooLateForAHub(t *testing.T) {
	for name, hosting := range hostings {
		if hosting == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			h := child(&Handler{Hosting: hosting}, "goodbye")
			events := record(t, h)
			srv := serve(t, h)
			first := connectFor(t, srv)
			first.message()
			hub := onlyHub(t, h)
			hub.mu.Lock()
			second := connectFor(t, srv)
			hub.abandon(errNoClient)
			hub.mu.Unlock()
			if got := second.message(); got != "hello" {
				t.Error(got)
			}
			events.waitFor(2, an[Started]())
			events.wait(an[Closed]())
		})
	}
}

// isEnding reports whether its end is known.
func (h *hub) isEnding() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ending != nil
}

// There may be no room for that other program.
func TestTooLateForAHubAndForAPlace(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Hosting: Resume{}, Limits: &Limits{MaxForks: 1}}, "goodbye")
	events := record(t, h)
	srv := serve(t, h)
	first := connectFor(t, srv)
	first.message()
	hub := onlyHub(t, h)
	hub.mu.Lock()
	second := connectFor(t, srv)
	hub.service.forget(hub)
	hub.over = true
	hub.mu.Unlock()
	second.wantClose(Ending{codeTryAgainLater, "too many sessions"})
	hub.mu.Lock()
	hub.over = false
	hub.mu.Unlock()
	first.write(closing(1000, ""))
	events.wait(an[Closed]())
}

// A program that is being ended is nobody's whom it does not have yet.
func TestComingDuringTheEnd(t *testing.T) {
	for name, hosting := range hostings {
		t.Run(name, func(t *testing.T) {
			h := child(&Handler{Hosting: hosting, Bounds: Bounds{Grace: time.Hour}}, "deaf")
			events := record(t, h)
			srv := serve(t, h)
			connectFor(t, srv).message()
			begun := func() bool { return true } // there is nothing to wait for without a hub
			if hosting != nil {
				begun = onlyHub(t, h).isEnding
			}
			h.Restart("the command has changed", nil)
			until(t, begun, func() string { return "the end to begin" })
			if got := connectFor(t, srv).message(); got != "ready" {
				t.Error(got)
			}
			if events.count(an[Started]()) != 2 {
				t.Error("it has no program of its own")
			}
			ctx, kill := context.WithCancel(t.Context())
			kill()
			h.Shutdown(ctx)
		})
	}
}

// What ReadOnly drops counts as given.
func TestResumeDropped(t *testing.T) {
	t.Parallel()
	h := resumable("goodbye")
	h.Framing = ReadOnly{}
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), true)
	c.wantMessages("hello")
	for range 3 {
		c.write(text("dropped"))
	}
	c.write(closing(1001, ""))
	events.wait(aDetachment)
	resume(t, srv, received(testKey, 1), true).wantGreeting(greeting{testKey, true, 3, 2})
}

// A client that closes ends its program, also if that does not take what came
// before the close.
func TestResumeCloseBehindBacklog(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Hosting: Resume{}, Bounds: Bounds{MaxMessageSize: 64 << 10}}, "deaf")
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), false)
	c.wantMessages("ready")
	feed := &onlyHub(t, h).run.job.feed
	for size := 0; size < 60<<10; { // fill the pipe, and then most of the backlog
		c.write(append(text(strings.Repeat("x", 4<<10-1)), ping("")...))
		if f := c.next(); f.op != opPong {
			t.Fatalf("got opcode %x", f.op)
		}
		feed.mu.Lock()
		size = feed.size
		feed.mu.Unlock()
	}
	c.write(append(text(strings.Repeat("x", 6<<10)), closing(1000, "")...))
	c.wantClose(Ending{Code: 1000})
	events.wait(an[Closed]())
}

// The client may close while the end of its program is on its way: then nobody
// comes back.
func TestResumeCloseDuringTheEnd(t *testing.T) {
	h := resumable("lines", "200000", "99")
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), false)
	c.write(text("go"))
	c.message()
	hub := onlyHub(t, h)
	for f := c.next(); !strings.HasSuffix(string(f.payload), "199990"); f = c.next() {
		if f.op == opPing {
			c.write(appendFrame(nil, finBit|opPong, f.payload, true))
		}
	}
	until(t, hub.isEnding, func() string { return "the program to end" })
	c.write(closing(1000, ""))
	events.wait(an[Closed]())
}

// Without pings a client that takes nothing of what its program has left is lost in
// the end.
func TestStalledWithoutPings(t *testing.T) {
	t.Parallel()
	for name, hosting := range map[string]Hosting{"resume": Resume{For: time.Millisecond}, "share": Share{Slow: SlowWait}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Hosting: hosting, Bounds: Bounds{PingInterval: -1}}, "lines", "200000", "99")
			events := record(t, h)
			p := connectFor(t, tightServer(t, h))
			events.wait(anAttachment)
			hub := onlyHub(t, h)
			p.write(text("go"))
			var reached map[*seat]int64
			until(t, func() bool {
				reached = hub.endStalled(reached)
				time.Sleep(300 * time.Millisecond) // in which it would take something if it took any
				return events.has(aDetachment)
			}, func() string { return "the client to be given up" })
			events.wait(an[Closed]())
		})
	}
}
