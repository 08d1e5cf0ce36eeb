package bridge

import (
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func shared(s Share, name string, args ...string) *Handler {
	return child(&Handler{Hosting: s}, name, args...)
}

func sharing(t testing.TB, srv *httptest.Server, query string) *counter {
	t.Helper()
	return resume(t, srv, query, true)
}

// Rules 1 and 4: one program for all, which ends with the last client, and gets
// every message whole.
func TestShare(t *testing.T) {
	t.Parallel()
	h := shared(Share{}, "echo")
	events := record(t, h)
	srv := serve(t, h)
	var peers []*peer
	for range 5 {
		peers = append(peers, connect(t, srv))
	}
	events.waitFor(5, anAttachment)
	for i, p := range peers {
		p.write(text(strconv.Itoa(i) + strings.Repeat("x", 1000)))
		for _, q := range peers {
			if got := q.message(); !strings.HasPrefix(got, strconv.Itoa(i)+"x") {
				t.Errorf("got %.10q, want that of %d", got, i)
			}
		}
	}
	for i, p := range peers {
		if events.has(an[Closed]()) {
			t.Error("the program ends with clients there")
		}
		p.write(closing(1000, ""))
		p.wantClose(Ending{Code: 1000})
		events.waitFor(i+1, aDetachment)
	}
	events.wait(an[Closed]())
	if n := events.count(an[Started]()); n != 1 {
		t.Errorf("%d programs were started", n)
	}
	p := connect(t, srv) // a new run
	p.write(text("x"))
	if got := p.message(); got != "x" {
		t.Error(got)
	}
	if n := events.count(an[Started]()); n != 2 {
		t.Errorf("%d programs were started", n)
	}
}

// Rule 2: when the program exits, every client gets the rest and its code.
func TestShareExit(t *testing.T) {
	h := shared(Share{Slow: SlowWait}, "lines", "2000", "50")
	events := record(t, h)
	srv := serve(t, h)
	var peers []*peer
	for range 10 {
		peers = append(peers, connect(t, srv))
	}
	events.waitFor(10, anAttachment)
	peers[3].write(text("go"))
	for i, p := range peers {
		messages, end := p.closed()
		if len(messages) != 2000 || end != (Ending{4005, "exit status 5"}) {
			t.Errorf("%d: %d messages, %v", i, len(messages), end)
		}
	}
	events.wait(an[Closed](func(e Closed) bool { return e.Ending.Code == 4005 }))
}

// Rule 2: with Restart clients stay, and the run and its numbers go on.
func TestShareRestart(t *testing.T) {
	t.Parallel()
	h := shared(Share{Restart: true}, "lines", "3", "5")
	events := record(t, h)
	srv := serve(t, h)
	c := sharing(t, srv, "")
	run := c.greeting.Session
	for try := range 2 {
		events.waitFor(try+1, an[Started]())
		c.write(text("go"))
		c.wantMessages("    0", "    1", "    2")
	}
	events.waitFor(2, an[Closed]())
	d := sharing(t, srv, received(run, 4))
	d.wantGreeting(greeting{run, true, 0, 5})
	d.wantMessages("    1", "    2")
	if len(run) != 26 {
		t.Errorf("the run is called %q", run)
	}
}

// Rule 3: the environment has nothing from a request.
func TestShareEnvironment(t *testing.T) {
	names := []string{"WSBRIDGE_SHARED", "QUERY_STRING", "PATH_INFO", "REMOTE_ADDR", "HTTP_HOST", "REQUEST_URI", "OWN"}
	for byURL, want := range map[bool][]string{
		false: {"1", "", "", "", "", "", "x"},
		true:  {"1", "a=b", "/room", "", "", "", "x"},
	} {
		h := shared(Share{ByURL: byURL, Replay: 100, Keep: time.Hour}, "variables", names...)
		h.Env = append(h.Env, "OWN=x")
		srv := serve(t, h)
		p := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/room?a=b"))
		messages, _ := p.closed()
		for i, name := range names {
			if i >= len(messages) || messages[i] != name+"="+want[i] {
				t.Errorf("%q, want %s=%s", messages, name, want[i])
				break
			}
		}
	}
}

// Rooms: one program for each path and query.
func TestShareByURL(t *testing.T) {
	h := shared(Share{ByURL: true}, "echo")
	events := record(t, h)
	srv := serve(t, h)
	var peers []*peer
	for _, path := range []string{"/a", "/a", "/b", "/a?x", "/b"} {
		peers = append(peers, connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, path)))
	}
	events.waitFor(5, anAttachment)
	events.waitFor(3, an[Started]())
	peers[2].write(text("to b"))
	peers[0].write(text("to a"))
	peers[3].write(text("to x"))
	for i, want := range []string{"to a", "to a", "to b", "to x", "to b"} {
		if got := peers[i].message(); got != want {
			t.Errorf("%d got %q, want %q", i, got, want)
		}
	}
}

// Rules 5 and 6: what a new client gets first, and one that comes back.
func TestShareReplay(t *testing.T) {
	for _, test := range []struct{ replay, first int64 }{{0, 6}, {2, 4}, {5, 1}, {100, 1}} {
		h := shared(Share{Replay: int(test.replay)}, "echo")
		srv := serve(t, h)
		c := sharing(t, srv, "")
		run := c.greeting.Session
		for i := range 5 {
			c.write(text(fmt.Sprint("m", i+1)))
			c.wantMessages(fmt.Sprint("m", i+1))
		}
		for query, want := range map[string]greeting{
			"":                                {run, false, 0, test.first},
			received(run, 3):                  {run, true, 0, 4},
			received(run, 0):                  {run, true, 0, 1},
			keyed(run):                        {run, false, 0, test.first},
			received(strings.ToLower(run), 3): {run, false, 0, test.first},
		} {
			d := sharing(t, srv, query)
			d.wantGreeting(want)
			for n := want.Next; n <= 5; n++ {
				d.wantMessages(fmt.Sprint("m", n))
			}
		}
		late := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/?"+received(run, 6), "Sec-WebSocket-Protocol: wsbridge.v1"))
		late.wantClose(Ending{4410, "gone: 1 is the first kept"})
		p := dial(t, srv.Listener.Addr().String())
		p.write([]byte(handshakeFor(srv, "/?"+keyed(run)+"&received=x", "Sec-WebSocket-Protocol: wsbridge.v1")))
		if got := p.status(); got != 400 {
			t.Errorf("malformed received: %d", got)
		}
	}
}

// Rule 7: a client that does not read costs the others nothing, or holds the
// program back.
func TestShareSlow(t *testing.T) {
	for _, slow := range []Slow{SlowClose, SlowSkip, SlowWait} {
		t.Run(fmt.Sprint(slow), func(t *testing.T) {
			const lines = 200_000 // of 101 bytes
			// The buffer is larger than what two clients that read may be apart.
			h := shared(Share{Slow: slow, Buffer: 4 << 20}, "lines", strconv.Itoa(lines), "100")
			events := record(t, h)
			srv := serve(t, h)
			stalled, reader := connect(t, srv), connect(t, srv)
			events.waitFor(2, anAttachment)
			reader.write(text("go"))
			if slow == SlowWait {
				got := make(chan int)
				go func() {
					messages, _ := stalled.closed()
					got <- len(messages)
				}()
				if messages, _ := reader.closed(); len(messages) != lines {
					t.Errorf("the reader has %d messages", len(messages))
				}
				if n := <-got; n != lines {
					t.Errorf("the other has %d messages", n)
				}
				return
			}
			if messages, end := reader.closed(); len(messages) != lines || end.Code != 4005 {
				t.Errorf("the reader has %d messages, %v", len(messages), end)
			}
			messages, end := stalled.closed()
			last := 0
			for i, m := range messages {
				n, err := strconv.Atoi(strings.TrimSpace(m))
				if err != nil || i > 0 && n <= last {
					t.Fatalf("%q comes after %d", m, last)
				}
				last = n
			}
			if slow == SlowClose && (end != errTooSlow || last >= lines-1) {
				t.Errorf("it was closed with %v after %d", end, last)
			}
			if slow == SlowSkip && (end.Code != 4005 || last != lines-1 || len(messages) == lines) {
				t.Errorf("it was closed with %v after %d, with %d messages", end, last, len(messages))
			}
		})
	}
}

// Rule 8: what counts.
func TestShareLimits(t *testing.T) {
	h := shared(Share{ByURL: true}, "echo")
	h.Limits = &Limits{MaxForks: 2, MaxClients: 3}
	events := record(t, h)
	srv := serve(t, h)
	status := func(path string) int {
		p := dial(t, srv.Listener.Addr().String())
		p.write([]byte(handshakeFor(srv, path)))
		return p.status()
	}
	for _, test := range []struct {
		path   string
		status int
	}{{"/a", 101}, {"/b", 101}, {"/c", 429}, {"/a", 101}, {"/a", 429}} {
		if got := status(test.path); got != test.status {
			t.Errorf("%s: %d, want %d", test.path, got, test.status)
		}
	}
	if !events.has(refusedFor(RuleClients)) || !events.has(refusedFor(RuleForks)) {
		t.Errorf("refused for something else:\n%s", events)
	}
}

// Keep: the program goes on without clients for a while, or for good.
func TestShareKeep(t *testing.T) {
	for _, keep := range []time.Duration{time.Hour, -1} {
		h := shared(Share{Keep: keep}, "echo")
		events := record(t, h)
		srv := serve(t, h)
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		if keep < 0 {
			events.wait(an[Started]())
		}
		for i := range 2 {
			p := connect(t, srv)
			p.write(text("x"))
			if got := p.message(); got != "x" {
				t.Error(got)
			}
			p.Close()
			events.waitFor(i+1, aDetachment)
		}
		if n := events.count(an[Started]()); n != 1 || events.has(an[Closed]()) {
			t.Errorf("%d programs were started", n)
		}
	}
}

// ReadOnly drops what clients send, and nothing ends.
func TestReadOnly(t *testing.T) {
	h := child(&Handler{Framing: ReadOnly{}}, "lines", "3", "1")
	srv := serve(t, h)
	p := connect(t, srv)
	p.write(text("go")) // would make it print
	p.write(ping("still there"))
	if f := p.next(); f.op != opPong {
		t.Errorf("got opcode %x", f.op)
	}
}
