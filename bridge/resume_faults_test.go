package bridge

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// These tests are named after faults that other servers had.

// A program that exits before its client has read anything loses nothing, however
// often the client comes back for it.
func TestResumeExitBeforeTheFirstRead(t *testing.T) {
	h := resumable("line", "5", "6", "7")
	events := record(t, h)
	srv := serve(t, h)
	for try := range 4 {
		c := resume(t, srv, keyed(testKey), try == 3)
		if try == 0 {
			events.wait(an[Started]())
		}
		if try == 3 {
			c.wantGreeting(greeting{testKey, true, 0, 1})
			messages, end := c.closed()
			if fmt.Sprint(messages) != "[xxxxx xxxxxx xxxxxxx]" || end != (Ending{Code: 1000}) {
				t.Errorf("%q, closed with %v", messages, end)
			}
			break
		}
		c.SetLinger(0)
		c.Close()
		events.waitFor(try+1, aDetachment)
	}
	events.wait(an[Closed]())
	if n := events.count(an[Started]()); n != 1 {
		t.Errorf("%d programs were started", n)
	}
}

// onlyHub is the only hub of a Handler.
func onlyHub(t *testing.T, h *Handler) *hub {
	t.Helper()
	s := h.service()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, hub := range s.hubs {
		return hub
	}
	t.Fatal("there is no session")
	return nil
}

// A connection whose writer is blocked, because its client does not read, is taken
// over at once, and the client goes on where it was.
func TestResumeTakeOverFromABlockedWriter(t *testing.T) {
	h := child(&Handler{Hosting: Resume{For: time.Hour, Buffer: 64 << 20}}, "lines", "200000", "100")
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), true)
	c.SetReadBuffer(4 << 10)
	c.write(text("go"))
	c.wantMessages(fmt.Sprintf("%100d", 0))
	hub := onlyHub(t, h)
	var old *seat
	hub.mu.Lock()
	for s := range hub.seats {
		old = s
	}
	hub.mu.Unlock()
	// It is blocked when the program goes on and nothing is sent.
	var sent, said int64
	until(t, func() bool {
		now, next := old.conn.Sent().Messages, hub.log.Sent().Messages
		if now != sent {
			sent, said = now, next
		}
		return sent < 200_000 && (next == 200_000 || next > said+50_000)
	}, func() string { return "a blocked writer" })

	second := resume(t, srv, received(testKey, 1), true)
	second.wantGreeting(greeting{testKey, true, 1, 2})
	messages, end := second.closed()
	if len(messages) != 199_999 || end.Code != 4005 {
		t.Errorf("%d messages, closed with %v", len(messages), end)
	}
	for i, m := range messages {
		if m != fmt.Sprintf("%100d", i+1) {
			t.Fatalf("message %d is %q", i+2, m)
		}
	}
	c.Close()
	events.waitFor(2, aDetachment)
}

// The time of a session begins also when its client is frozen, and when it leaves
// while the program does not read, so that nobody reads the connection.
func TestResumeLossIsNoticed(t *testing.T) {
	t.Run("frozen", func(t *testing.T) {
		h := child(&Handler{Hosting: Resume{For: 10 * time.Millisecond}}, "echo")
		h.Bounds.PingInterval = 20 * time.Millisecond
		events := record(t, h)
		resume(t, serve(t, h), keyed(testKey), false)
		events.wait(an(func(e Detached) bool { return e.Ending == errPeerDead }))
		events.wait(closedBecause(errPeerDead))
	})
	t.Run("unread", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("only Linux tells that a client has left")
		}
		h := child(&Handler{Hosting: Resume{For: 10 * time.Millisecond}}, "deaf")
		h.Bounds.MaxMessageSize = 1000
		events := record(t, h)
		c := resume(t, serve(t, h), keyed(testKey), true)
		c.wantMessages("ready")
		for range 200 {
			c.write(text(strings.Repeat("x", 1000)))
		}
		c.CloseWrite()
		events.wait(aDetachment)
		events.wait(closedBecause(errLost))
	})
}

// After its time a key is unknown: who continues is told, and who begins gets a
// program.
func TestResumeAfterItsTime(t *testing.T) {
	h := child(&Handler{Hosting: Resume{For: 10 * time.Millisecond}}, "echo")
	events := record(t, h)
	srv := serve(t, h)
	for i := range 2 {
		c := resume(t, srv, keyed(testKey), true)
		c.wantGreeting(greeting{testKey, false, 0, 1})
		c.write(text("x"))
		c.wantMessages("x")
		c.Close()
		events.waitFor(i+1, an[Closed]())
		resume(t, srv, received(testKey, 1), false).wantClose(errNoSession)
	}
}

// Of several connections that come at once with one key, new or not, one stays, and
// the others are taken over.
func TestResumeTakeOversAtOnce(t *testing.T) {
	const clients = 8
	h := resumable("echo")
	events := record(t, h)
	srv := serve(t, h)
	for round := range 3 {
		var peers [clients]*peer
		for i := range peers {
			peers[i] = dial(t, srv.Listener.Addr().String())
		}
		var wg sync.WaitGroup
		ended := make(chan Ending, clients)
		for _, p := range peers {
			wg.Go(func() {
				p.Write([]byte(handshakeFor(srv, "/?"+keyed(testKey))))
				p.wantSwitch()
				for {
					f, err := p.frame()
					switch {
					case err != nil:
						ended <- Ending{Code: 1006}
					case f.op == opClose:
						p.Write(appendFrame(nil, finBit|opClose, f.payload, true))
						ended <- errTakenOver
						if string(f.payload[2:]) != errTakenOver.Reason {
							t.Errorf("closed with %q", f.payload)
						}
					default:
						continue
					}
					return
				}
			})
		}
		for range clients - 1 {
			select {
			case end := <-ended:
				if end != errTakenOver {
					t.Errorf("one ended with %v", end)
				}
			case <-time.After(testLimit):
				t.Fatal("more than one stays")
			}
		}
		if events.has(an[Closed]()) {
			t.Error("the session has ended")
		}
		for _, p := range peers {
			p.CloseWrite() // the last one is lost
		}
		wg.Wait()
		events.waitFor((round+1)*clients, happening{"all to be gone", func(e Event) bool {
			_, late := e.(TurnedAway) // its handshake took longer than that of one behind it
			return late || isDetached(e)
		}})
	}
	if n := events.count(an[Started]()); n != 1 {
		t.Errorf("%d programs were started", n)
	}
}

// A server that stops says so, and one that is started again in its place knows
// nothing of the session.
func TestResumeAcrossARestart(t *testing.T) {
	h := resumable("echo")
	events := record(t, h)
	srv := serve(t, h)
	c, away := resume(t, srv, keyed(testKey), true), resume(t, srv, keyed(testKey+"2"), true)
	for _, c := range []*counter{c, away} {
		c.write(text("x"))
		c.wantMessages("x")
	}
	away.Close()
	events.wait(aDetachment)
	stopped := started(func() { h.Shutdown(t.Context()) })
	c.wantClose(errShutdown)
	<-stopped
	events.waitFor(2, an[Closed](func(e Closed) bool { return e.Ending == errShutdown }))

	h = resumable("echo")
	srv = serve(t, h)
	for _, key := range []string{testKey, testKey + "2"} {
		c := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/?"+received(key, 1), "Sec-WebSocket-Protocol: wsbridge.v1"))
		c.wantClose(errNoSession) // without a greeting
		resume(t, srv, keyed(key), true).wantGreeting(greeting{key, false, 0, 1})
	}
}

// A pong that comes from a connection which was taken over acknowledges nothing.
func TestResumeLatePong(t *testing.T) {
	h := resumable("echo")
	srv := serve(t, h)
	old := resume(t, srv, keyed(testKey), true)
	for i := range 5 {
		old.write(text(fmt.Sprint("m", i+1)))
		old.wantMessages(fmt.Sprint("m", i+1))
	}
	newer := resume(t, srv, received(testKey, 2), true)
	for f := old.next(); f.op != opClose; f = old.next() {
	}
	old.write(ponging([]byte("5")))
	old.write(closing(errTakenOver.Code, ""))
	for {
		if _, err := old.frame(); err != nil {
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				t.Fatal(err)
			}
			break // the pong has been read
		}
	}
	newer.wantGreeting(greeting{testKey, true, 5, 3})
	c := resume(t, srv, received(testKey, 2), true)
	c.wantGreeting(greeting{testKey, true, 5, 3})
	c.wantMessages("m3", "m4", "m5")
}

// Requests may be seen in another order than they were made in: one whose connection was
// already lost does not keep out the one that came after it.
func TestResumeBehindALostRequest(t *testing.T) {
	h := resumable("echo")
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), true)
	hub := onlyHub(t, h)
	hub.mu.Lock()
	for s := range hub.seats {
		s.visit += 10
	}
	hub.mu.Unlock()
	c.Close()
	c = resume(t, srv, keyed(testKey), true)
	c.write(text("x"))
	c.wantMessages("x")
	if !c.greeting.Resumed {
		t.Error("it is a new session")
	}
}
