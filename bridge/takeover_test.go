package bridge

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// A new client ends the oldest session and has a program when that one's is gone.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		limits  *Limits
		hosting Hosting
	}{
		{"MaxForks", &Limits{TakeOver: true, MaxForks: 1}, nil},
		{"MaxPerAddress", &Limits{TakeOver: true, MaxPerAddress: 1}, nil},
		{"Resume, without a key", &Limits{TakeOver: true, MaxForks: 1}, Resume{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Limits: test.limits, Hosting: test.hosting, Bounds: Bounds{Grace: testLimit}}, "slow")
			log := record(t, h)
			srv := serve(t, h)
			before := connect(t, srv)
			for range 5 {
				p := connect(t, srv)
				before.wantClose(errTakenOver)
				p.write(text("mine"))
				if got := p.message(); got != "mine" {
					t.Errorf("got %q", got)
				}
				before = p
			}
			log.waitFor(5, closedWith(4409))
			if log.has(an[Refused]()) {
				t.Errorf("somebody was refused:\n%s", log)
			}
		})
	}
}

// The oldest of several goes first, and a place that is about to be free is nobody's
// to take over.
func TestTakeOverTheOldest(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Limits: &Limits{TakeOver: true, MaxForks: 3}, Bounds: Bounds{Grace: testLimit}}, "slow")
	log := record(t, h)
	srv := serve(t, h)
	var peers []*peer
	for range 6 {
		p := connect(t, srv)
		p.write(text("x"))
		p.message()
		peers = append(peers, p)
	}
	for i, p := range peers {
		if i < 3 {
			p.wantClose(errTakenOver)
			continue
		}
		p.write(text("still here"))
		if got := p.message(); got != "still here" {
			t.Errorf("client %d got %q", i, got)
		}
	}
	peers[4].write(closing(1000, ""))
	until(t, func() bool {
		h.Limits.mu.Lock()
		defer h.Limits.mu.Unlock()
		return h.Limits.all.places-h.Limits.all.ending < 3
	}, func() string { return "a session that is ending" })
	p := connect(t, srv) // perhaps before the program of that one is gone
	p.write(text("x"))
	p.message()
	peers[3].write(text("y"))
	if got := peers[3].message(); got != "y" || log.count(closedWith(4409)) != 3 {
		t.Errorf("got %q:\n%s", got, log)
	}
}

// A session is taken over that has no client at the moment.
func TestTakeOverWithoutAClient(t *testing.T) {
	t.Parallel()
	h := resumable("echo")
	h.Limits = &Limits{TakeOver: true, MaxForks: 1}
	log := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), true)
	c.write(text("x"))
	c.wantMessages("x")
	c.Close()
	log.wait(aDetachment)
	c = resume(t, srv, keyed("another"+testKey), true)
	c.write(text("y"))
	c.wantMessages("y")
	log.wait(closedWith(4409))
	resume(t, srv, received(testKey, 1), false).wantClose(errNoSession)
	c.write(text("z"))
	c.wantMessages("z") // who came back in vain has ended nothing
}

// Programs and addresses of others are safe, and so are CGI programs.
func TestTakeOverOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{Command: []string{"one"}, Limits: &Limits{TakeOver: true, MaxForks: 2, MaxPerAddress: 1}}
		log := record(t, h)
		joined := func(e *enters) *enters {
			t.Helper()
			if e.status() != http.StatusSwitchingProtocols {
				t.Fatalf("%s did not get in: %v", e.request.RemoteAddr, e.refused)
			}
			e.join()
			return e
		}
		apply := func(addr, name string) *enters { return takesOver(h, addr, name) }
		one := joined(apply(another, "one"))
		two := joined(apply(someone, "one"))
		// Both are lacking: the oldest of the same address makes room for both.
		third := apply(someone, "one")
		if one.ctx.Err() != nil || two.ctx.Err() == nil {
			t.Fatalf("%v, %v", one.ctx.Err(), two.ctx.Err())
		}
		two.place.programGone()
		joined(third)
		two.place.free()
		// Nobody's program is taken over by another one.
		if e := apply(someone, "two"); e.status() != 0 {
			t.Error("it does not wait")
		} else if time.Sleep(2 * noticeLimit); e.status() != 429 {
			t.Errorf("it has %d", e.status())
		}
		e := &enters{admission: h.admission(upgradeRequest())}
		e.program = program{command: []string{"one"}}
		if refused := e.takePlaceForCGI(); refused == nil || one.ctx.Err() != nil || third.ctx.Err() != nil {
			t.Errorf("a CGI program: %v", refused)
		}
		one.place.free()
		third.place.free()
		if l := h.Limits; l.all != (taken{}) || len(l.perAddress) != 0 || len(h.service().allLaunchers()) != 0 {
			t.Errorf("left: %+v, %v\n%s", l.all, l.perAddress, log)
		}
	})
}

// Of many that come while a program is being ended, the newest has the next one.
func TestTakeOverTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{Command: []string{"one"}, Limits: &Limits{TakeOver: true, MaxForks: 1}}
		first := takesOver(h, someone, "one")
		first.join()
		var others []*enters
		for range 5 {
			others = append(others, takesOver(h, someone, "one"))
		}
		time.Sleep(2 * noticeLimit)
		for i, e := range others {
			if got, want := e.status(), map[bool]int{true: 0, false: 429}[i == 4]; got != want {
				t.Errorf("client %d has %d, want %d", i, got, want)
			}
		}
		first.place.programGone()
		first.place.free()
		if others[4].status() != http.StatusSwitchingProtocols {
			t.Errorf("the newest has %d: %v", others[4].status(), others[4].refused)
		}
		others[4].place.free()
	})
}

// takesOver is enter for a program.
func takesOver(h *Handler, addr, name string) *enters {
	r := upgradeRequest()
	r.RemoteAddr = addr
	e := &enters{admission: h.admission(r)}
	e.program = program{command: []string{name}}
	go func() {
		e.refused = e.takePlace()
		e.done.Store(true)
	}()
	synctest.Wait()
	return e
}
