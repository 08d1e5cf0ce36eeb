package bridge

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

var restarted = Ending{1012, "the command has changed"}

func TestRestart(t *testing.T) {
	t.Parallel()
	h := child(&Handler{}, "echo")
	h.Restart(restarted.Reason, nil) // before there is any session
	srv := serve(t, h)
	for range 3 {
		one, another := connect(t, srv), connect(t, srv)
		one.write(text("x"))
		if got := one.message(); got != "x" {
			t.Errorf("got %q", got)
		}
		h.Restart(restarted.Reason, func(string) bool { return false })
		another.write(text("y"))
		if got := another.message(); got != "y" {
			t.Errorf("got %q", got)
		}
		h.Restart(restarted.Reason, func(program string) bool { return program == h.Command[0] })
		one.wantClose(restarted)
		another.wantClose(restarted)
	}
	p := connect(t, srv)
	done := started(func() { h.Shutdown(t.Context()) })
	p.wantClose(errShutdown)
	<-done
	h.Restart(restarted.Reason, nil)
}

// The child is ended by the ladder, and a client that does not read holds it
// up no longer than a drain.
func TestRestartEndsTheChild(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"deaf", "flood"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{}, command)
			log := record(t, h)
			p := connect(t, serve(t, h))
			if command == "deaf" {
				p.message()
			} else {
				log.blocked()
			}
			h.Restart(restarted.Reason, nil)
			told := restarted
			if command == "flood" {
				told = untold(restarted)
			}
			log.wait(closedBecause(told))
			until(t, func() bool { return h.sessions() == 0 }, func() string { return "the end of the session" })
		})
	}
}

// Nothing is kept of programs whose sessions are over, however those ended.
func TestLaunchersEnd(t *testing.T) {
	t.Parallel()
	root := programs(t, "echo", "sub/echo")
	h := inDir(&Handler{}, root)
	srv := serve(t, h)
	launchers := func() int { return len(h.service().allLaunchers()) }
	none := func() {
		until(t, func() bool { return launchers() == 0 }, func() string { return "the end of the launchers" })
	}
	open := func(path string) *peer {
		return connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, path+exe))
	}
	one, another, sub := open("/echo"), open("/echo"), open("/sub/echo")
	if n := launchers(); n != 2 {
		t.Errorf("%d launchers", n)
	}
	one.Close()
	until(t, func() bool { return h.sessions() == 2 }, func() string { return "the end of a session" })
	h.Restart(restarted.Reason, func(program string) bool { return strings.Contains(program, "sub") })
	again := open("/sub/echo")
	sub.wantClose(restarted)
	sub.Close()
	until(t, func() bool { return h.sessions() == 2 }, func() string { return "the end of a session" })
	h.Restart(restarted.Reason, nil)
	for _, p := range []*peer{another, again} {
		p.wantClose(restarted)
	}
	open("/echo").Close()
	none()

	// The library cannot take over the connection of a recorder.
	r := httptest.NewRequest("GET", srv.URL+"/echo"+exe, nil)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code == 200 || w.Code == 404 {
		t.Errorf("got %d", w.Code)
	}
	none()

	h.CommandDir, h.Command = nil, []string{filepath.Join(root.Name(), "none")}
	connect(t, srv).wantClose(Ending{1011, "command not found"})
	none()
}

// Of a directory of programs, only the sessions of those that have changed end.
func TestRestartOfOneProgram(t *testing.T) {
	t.Parallel()
	root := programs(t, "echo", "sub/echo")
	h := inDir(&Handler{}, root)
	srv := serve(t, h)
	open := func(path string) *peer {
		return connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, path+exe))
	}
	top, sub := open("/echo"), open("/sub/echo")
	h.Restart(restarted.Reason, func(program string) bool {
		return program == filepath.Join(root.Name(), "sub", "echo"+exe)
	})
	sub.wantClose(restarted)
	again := open("/sub/echo")
	for _, p := range []*peer{top, again} {
		p.write(text("still here"))
		if got := p.message(); got != "still here" {
			t.Errorf("got %q", got)
		}
	}
}

// Nobody is called under a lock: who is asked which programs have changed may
// use the Handler meanwhile.
func TestRestartWithinRestart(t *testing.T) {
	h := child(&Handler{}, "echo")
	srv := serve(t, h)
	p := connect(t, srv)
	asked := 0
	h.Restart(restarted.Reason, func(string) bool {
		asked++
		another := connect(t, srv)
		another.write(closing(1000, ""))
		another.wantClose(Ending{1000, ""})
		h.Restart(restarted.Reason, nil)
		return true
	})
	p.wantClose(restarted)
	if asked != 1 {
		t.Errorf("it was asked %d times", asked)
	}
}
