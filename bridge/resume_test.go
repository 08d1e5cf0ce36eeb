package bridge

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const testKey = "0123456789abcdefABCDEF-_"

// resumable is a Handler whose programs outlive their connections.
func resumable(name string, args ...string) *Handler {
	return child(&Handler{Hosting: Resume{For: time.Hour}}, name, args...)
}

// A counter is a client that counts, or one that could.
type counter struct {
	*peer
	greeting greeting
}

// resume connects with a query; counting says that the client counts.
func resume(t testing.TB, srv *httptest.Server, query string, counting bool) *counter {
	t.Helper()
	var lines []string
	if counting {
		lines = []string{"Sec-WebSocket-Protocol: other, wsbridge.v1"}
	}
	c := &counter{peer: connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/?"+query, lines...))}
	if counting {
		if err := json.Unmarshal([]byte(c.message()), &c.greeting); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func keyed(key string) string { return "resume=" + key }

func received(key string, n int64) string { return fmt.Sprintf("resume=%s&received=%d", key, n) }

func (c *counter) wantGreeting(want greeting) {
	c.t.Helper()
	if c.greeting != want {
		c.t.Errorf("greeted with %+v, want %+v", c.greeting, want)
	}
}

func (c *counter) wantMessages(want ...string) {
	c.t.Helper()
	for _, w := range want {
		if got := c.message(); got != w {
			c.t.Fatalf("got %q, want %q", got, w)
		}
	}
}

func isDetached(e Event) bool { _, ok := e.(Detached); return ok }

var (
	anAttachment = happening{"a client attached", func(e Event) bool { _, ok := e.(Attached); return ok }}
	aDetachment  = happening{"a client detached", isDetached}
)

// Rules 1, 4 and 8: a program goes on while its client is away, and the client
// continues where it was.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, counting := range []bool{false, true} {
		t.Run(fmt.Sprintf("counting=%t", counting), func(t *testing.T) {
			h := resumable("echo")
			events := record(t, h)
			srv := serve(t, h)
			c := resume(t, srv, keyed(testKey), counting)
			if counting {
				c.wantGreeting(greeting{testKey, false, 0, 1})
			}
			c.write(text("one"))
			c.write(text("two"))
			c.wantMessages("one", "two")
			c.Close()
			events.waitFor(1, aDetachment)

			if counting {
				c = resume(t, srv, received(testKey, 1), true)
				c.wantGreeting(greeting{testKey, true, 2, 2})
				c.wantMessages("two")
			} else {
				c = resume(t, srv, keyed(testKey), false)
				c.wantMessages("one", "two") // it has not said that it has them
			}
			c.write(text("three"))
			c.wantMessages("three")
			if events.count(an[Started]()) != 1 {
				t.Errorf("the program was started %d times", events.count(an[Started]()))
			}
			c.write(closing(1000, "")) // any other close ends the session
			events.wait(an[Closed]())
			if c := resume(t, srv, received(testKey, 3), false); true {
				c.wantClose(errNoSession)
			}
			resume(t, srv, keyed(testKey), false)
			events.waitFor(2, an[Started]())
		})
	}
}

// Rule 4: which closes a session survives.
func TestResumeLoss(t *testing.T) {
	t.Parallel()
	for code, lost := range map[int]bool{0: true, 1001: true, 1000: false, 1002: false, 3000: false, 4409: false} {
		h := resumable("echo")
		events := record(t, h)
		srv := serve(t, h)
		c := resume(t, srv, keyed(testKey), false)
		c.write(text("x"))
		c.wantMessages("x")
		if code == 0 {
			c.SetLinger(0)
			c.Close()
		} else {
			c.write(closing(code, ""))
		}
		events.wait(aDetachment)
		if !lost {
			events.wait(an[Closed]())
			continue
		}
		resume(t, srv, keyed(testKey), false).wantMessages("x")
		if events.has(an[Closed]()) {
			t.Errorf("%d: the session has ended", code)
		}
	}
}

// Rule 4: a violation ends the session at once.
func TestResumeViolation(t *testing.T) {
	h := resumable("echo")
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), false)
	c.write(text("\xff"))
	if _, end := c.closed(); end.Code != 1007 {
		t.Errorf("closed with %v", end)
	}
	events.wait(an[Closed](func(e Closed) bool { return e.Ending.Code == 1007 }))
}

// Rule 4: after its time the program is ended.
func TestResumeExpires(t *testing.T) {
	h := child(&Handler{Hosting: Resume{For: 50 * time.Millisecond}}, "echo")
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), false)
	c.write(text("x"))
	c.wantMessages("x")
	c.Close()
	events.wait(an[Closed]())
	resume(t, srv, received(testKey, 1), false).wantClose(errNoSession)
}

// Rule 6: a second connection takes over at once, also from one that reads
// nothing.
func TestResumeTakeOver(t *testing.T) {
	h := resumable("flood")
	events := record(t, h)
	srv := serve(t, h)
	first := resume(t, srv, keyed(testKey), false)
	first.message() // from now on it has its place
	for range 3 {   // two takeovers in a row
		second := resume(t, srv, keyed(testKey), true)
		if second.message() == "" {
			t.Error("nothing comes")
		}
		if !second.greeting.Resumed {
			t.Error("it is a new session")
		}
		if _, end := first.closed(); end != errTakenOver {
			t.Errorf("the first was closed with %v", end)
		}
		first = second
	}
	if n := events.count(an[Started]()); n != 1 {
		t.Errorf("%d programs were started", n)
	}
	// The answer to 4409 has ended nothing.
	if first.message() == "" || events.has(an[Closed]()) {
		t.Error("the session has ended")
	}
}

func init() {
	// variables NAME… prints variables of its environment.
	children["variables"] = func(args []string) {
		for _, name := range args {
			fmt.Println(name + "=" + os.Getenv(name))
		}
	}
}

// Rule 2: the program does not see the key.
func TestResumeEnvironment(t *testing.T) {
	h := resumable("variables", "QUERY_STRING", "REQUEST_URI", "WEBSOCKET_PROTOCOL")
	h.Subprotocols = []string{"other"}
	c := resume(t, serve(t, h), "a=1&"+keyed(testKey)+"&b=%32&received=0&c", true)
	c.wantMessages("QUERY_STRING=a=1&b=%32&c", "REQUEST_URI=/?a=1&b=%32&c", "WEBSOCKET_PROTOCOL=")
}

// A key is one of 22 to 128 letters; without one a session is an ordinary one.
func TestResumeKeys(t *testing.T) {
	srv := serve(t, resumable("echo"))
	for query, status := range map[string]int{
		keyed(strings.Repeat("x", 21)):                        400,
		keyed(strings.Repeat("x", 22)):                        101,
		keyed(strings.Repeat("x", 128)):                       101,
		keyed(strings.Repeat("x", 129)):                       400,
		keyed(""):                                             400,
		"resume":                                              400,
		keyed(strings.Repeat("x", 22) + "."):                  400,
		keyed(testKey) + "&" + keyed(testKey):                 400,
		"re%73ume=" + testKey + "&" + keyed(testKey):          400,
		keyed(testKey) + "&received=":                         400,
		keyed(testKey) + "&received=x":                        400,
		keyed(testKey) + "&received=-1":                       400,
		keyed(testKey) + "&received=+1":                       400,
		keyed(testKey) + "&received=9223372036854775808":      400,
		keyed(testKey) + "&received=1&received=1":             400,
		"received=x":                                          101,
		keyed(testKey) + "&received=9223372036854775807":      101,
		"resume=" + strings.Repeat("%41", 22) + "&received=0": 101,
	} {
		p := dial(t, srv.Listener.Addr().String())
		p.write([]byte(handshakeFor(srv, "/?"+query)))
		if got := p.status(); got != status {
			t.Errorf("%.60s: %d, want %d", query, got, status)
		}
	}
}

// Rule 3: to another page the key is unknown, and at another path.
func TestResumeOwner(t *testing.T) {
	h := resumable("echo")
	h.Gate = &Gate{Origins: []Origin{anyPage}}
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), false)
	c.write(text("x"))
	c.wantMessages("x")
	for _, handshake := range []string{
		handshakeFor(srv, "/other?"+received(testKey, 1)),
		handshakeFor(srv, "/?"+received(testKey, 1), "Origin: https://example.com"),
	} {
		connectAt(t, srv, srv.Listener.Addr().String(), handshake).wantClose(errNoSession)
	}
}

// Rule 8: what cannot be continued is told, and goes on for the client that it
// has.
func TestResumeGone(t *testing.T) {
	srv := serve(t, resumable("echo"))
	c := resume(t, srv, keyed(testKey), true)
	for i := range 3 {
		c.write(text(strconv.Itoa(i)))
		c.wantMessages(strconv.Itoa(i))
	}
	resume(t, srv, received(testKey, 4), false).wantClose(Ending{4410, "gone: 1 is the first kept"})
	c.write(text("more"))
	c.wantMessages("more")
	c = resume(t, srv, received(testKey, 4), true)
	c.wantGreeting(greeting{testKey, true, 4, 5})
	resume(t, srv, received(testKey, 2), false).wantClose(Ending{4410, "gone: 5 is the first kept"})
	c.write(text("still"))
	c.wantMessages("still")
}
