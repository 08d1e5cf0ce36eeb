package bridge

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func init() {
	// farewell waits for a line and then for the end of its input, prints N lines of
	// WIDTH and exits.
	children["farewell"] = func(args []string) {
		in := bufio.NewReader(os.Stdin)
		in.ReadString('\n')
		fmt.Println("hello")
		io.Copy(io.Discard, in)
		out := bufio.NewWriter(os.Stdout)
		for i := range number(args[0]) {
			fmt.Fprintf(out, "%*d\n", number(args[1]), i)
		}
		out.Flush()
	}
}

// What a program says when its session ends reaches its clients, whoever ends it.
func TestHostedFarewell(t *testing.T) {
	for name, hosting := range map[string]Hosting{"single": nil, "resume": Resume{}, "share": Share{}} {
		for _, why := range []Ending{errShutdown, errTimeout, errIdle, {1012, "changed"}} {
			if hosting == (Share{}) && (why == errTimeout || why == errIdle) {
				continue // are about its clients
			}
			t.Run(name+"/"+why.Reason, func(t *testing.T) {
				t.Parallel()
				h := child(&Handler{Hosting: hosting}, "farewell", "100", "10")
				h.Bounds.Grace = testLimit // it is slow to start
				switch why {
				case errTimeout:
					h.Bounds.Timeout = 100 * time.Millisecond
				case errIdle:
					h.Bounds.IdleTimeout = 100 * time.Millisecond
				}
				srv := serve(t, h)
				c := resume(t, srv, keyed(testKey), false)
				c.write(text("x"))
				if why == errShutdown || why.Code == 1012 {
					c.wantMessages("hello")
				}
				switch why {
				case errShutdown:
					go h.Shutdown(t.Context())
				case Ending{1012, "changed"}:
					h.Restart("changed", nil)
				}
				messages, end := c.closed()
				if n := len(messages); n < 100 || strings.TrimSpace(messages[n-1]) != "99" || end != why {
					t.Errorf("%d messages, closed with %v", n, end)
				}
			})
		}
	}
}

// Rule 9: what there is when the time of a session is over is kept for a client
// that is away, also what had no room in the buffer, and so is the close code.
func TestResumeTimeoutWhileAway(t *testing.T) {
	for _, why := range []Ending{errTimeout, errIdle} {
		t.Run(why.Reason, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Hosting: Resume{For: time.Hour, Buffer: 1000}}, "farewell", "1000", "20")
			h.Bounds.Grace = testLimit
			if why == errTimeout {
				h.Bounds.Timeout = 300 * time.Millisecond
			} else {
				h.Bounds.IdleTimeout = 300 * time.Millisecond
			}
			events := record(t, h)
			srv := serve(t, h)
			resume(t, srv, keyed(testKey), true).Close()
			events.wait(aDetachment)
			hub := onlyHub(t, h)
			until(t, func() bool { return !hub.isOpen() }, func() string { return "the end of its time" })
			time.Sleep(drainLimit + time.Second/2) // what does not wait long enough fails
			messages, end := resume(t, srv, received(testKey, 0), true).closed()
			if len(messages) != 1001 || end != why {
				t.Errorf("%d messages, closed with %v", len(messages), end)
			}
			events.wait(an[Closed]())
		})
	}
}

// A client that closes and comes back at once with its key begins anew.
func TestResumeCloseAndComeBack(t *testing.T) {
	h := resumable("echo")
	events := record(t, h)
	srv := serve(t, h)
	for i := range 20 {
		c := resume(t, srv, keyed(testKey), true)
		c.wantGreeting(greeting{testKey, false, 0, 1})
		c.write(text("x"))
		c.wantMessages("x")
		c.write(closing(1000, ""))
		if f := c.next(); f.op != opClose {
			t.Errorf("%d: got opcode %x", i, f.op)
		}
	}
	events.waitFor(20, an[Started]())
}

// Who comes while the last client of a program leaves, or while it exits, gets a
// program, be it a new one.
func TestHostedComeWhileTheLastLeaves(t *testing.T) {
	for name, hosting := range map[string]Hosting{"resume": Resume{}, "share": Share{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Hosting: hosting}, "echo")
			srv := serve(t, h)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 25 {
						p := dial(t, srv.Listener.Addr().String())
						p.Write([]byte(handshakeFor(srv, "/?"+keyed(testKey))))
						p.wantSwitch()
						p.Write(closing(1000, ""))
						f, err := p.frame()
						for ; err == nil && f.op != opClose; f, err = p.frame() {
						}
						if err != nil || string(f.payload[2:]) != "" && string(f.payload[2:]) != errTakenOver.Reason {
							t.Errorf("closed with %q, %v", f.payload, err)
						}
						p.Close()
					}
				})
			}
			wg.Wait()
		})
	}
}

// What is dropped counts as given, so that a client does not keep it for good.
func TestResumeReadOnly(t *testing.T) {
	h := resumable("echo")
	h.Framing = ReadOnly{}
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), true)
	for range 5 {
		c.write(text("x"))
	}
	c.write(ping("")) // is answered when they have been taken
	if f := c.next(); f.op != opPong {
		t.Errorf("got opcode %x", f.op)
	}
	c.Close()
	events.wait(aDetachment)
	resume(t, srv, received(testKey, 0), true).wantGreeting(greeting{testKey, true, 5, 1})
}

// The hello says that what a client sends is dropped, and nothing of that otherwise.
func TestHelloReadOnly(t *testing.T) {
	for _, test := range []struct {
		framing Framing
		want    string
	}{
		{ReadOnly{}, `{"session":"` + testKey + `","resumed":false,"received":0,"next":1,"readonly":true}`},
		{ReadOnly{Channels{}}, `{"session":"` + testKey + `","resumed":false,"received":0,"next":1,"readonly":true}`},
		{nil, `{"session":"` + testKey + `","resumed":false,"received":0,"next":1}`},
	} {
		h := resumable("echo")
		h.Framing = test.framing
		srv := serve(t, h)
		c := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/?"+keyed(testKey), "Sec-WebSocket-Protocol: wsbridge.v1"))
		if got := c.message(); got != test.want {
			t.Errorf("%#v: %s", test.framing, got)
		}
	}
}
