package bridge

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Sessions whose program is gone, but whose clients have not taken everything,
// are counted too. Otherwise one address could pile up sockets.
func TestTails(t *testing.T) {
	for _, test := range []struct {
		name   string
		limits *Limits
		rule   Rule
	}{
		{"forks", &Limits{MaxForks: 2}, RuleForks},
		{"address", &Limits{MaxPerAddress: 2}, RuleAddress},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &Handler{Limits: test.limits}
				log := record(t, h)
				refused := func(when string) {
					t.Helper()
					e := enter(h, someone)
					if e.status() != 429 || e.took != 0 || e.refused.Rule != test.rule || log.has(an[Waiting]()) {
						t.Errorf("%s: %d after %v", when, e.status(), e.took)
					}
				}
				// As many tails as places do not keep anybody from getting in.
				var tails []*place
				for range 4 {
					p := in(t, h, someone)
					p.ending()
					p.programGone()
					tails = append(tails, p)
				}
				refused("twice as many tails as places")
				tails[0].free()
				last := in(t, h, someone)
				refused("one place, and three tails")
				last.free()
				in(t, h, someone).free()
				if n := h.Limits.all; n != (taken{tails: 3}) {
					t.Errorf("it counts %+v", n)
				}
				for _, p := range tails {
					p.free()
				}
				if l := h.Limits; l.all != (taken{}) || len(l.perAddress) != 0 {
					t.Errorf("left: %+v, %v", l.all, l.perAddress)
				}
			})
		})
	}
}

// Tails hold up nobody but their own address.
func TestTailsOfAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{Limits: &Limits{MaxPerAddress: 1}}
		for range 2 {
			in(t, h, someone).programGone()
		}
		in(t, h, another)
		if e := enter(h, someone); e.status() != 429 {
			t.Errorf("it has %d", e.status())
		}
	})
}

// Who waits for a place gets it also when it is the end of a tail that makes
// room.
func TestWaitingBesideTails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{Limits: &Limits{MaxForks: 1}}
		tail := in(t, h, someone)
		tail.programGone()
		p := in(t, h, someone)
		p.ending()
		e := enter(h, another)
		p.programGone()
		if e.status() != 0 {
			t.Errorf("it has %d", e.status())
		}
		p.free()
		if e.status() != 101 {
			t.Errorf("it has %d", e.status())
		}
	})
}

// A session that comes to nothing gives back all that it has before anybody who
// waits is answered.
func TestWaitingForASessionThatWasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{Limits: &Limits{MaxSessions: 2, MaxPerAddress: 1}}
		p := in(t, h, someone)
		e := enter(h, someone)
		in(t, h, another).begin()
		p.ending()
		time.Sleep(2 * noticeLimit)
		p.free()
		if e.status() != 101 {
			t.Errorf("it has %d", e.status())
		}
	})
}

// Who waits for an address takes no room from those who wait for any place.
func TestRoomToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{Limits: &Limits{MaxForks: 2, MaxPerAddress: 1}}
		in(t, h, someone).ending()
		all := []*enters{enter(h, someone)}
		in(t, h, another)
		for _, addr := range []string{"192.0.2.3:80", "192.0.2.4:80"} {
			all = append(all, enter(h, addr))
		}
		for i, e := range all {
			if e.status() != 0 {
				t.Errorf("number %d does not wait, but has %d", i, e.status())
			}
			defer e.leave()
		}
		if e := enter(h, "192.0.2.5:80"); e.status() != 429 || e.took != 0 {
			t.Errorf("one more than there are places has %d after %v", e.status(), e.took)
		}
	})
}

// Impatience is a matter of one alone: what it costs does not grow with those
// who wait.
func TestImpatienceCosts(t *testing.T) {
	l := &Limits{MaxForks: 100, all: taken{places: 100, ending: 1}}
	var all []*applicant
	for range 100 {
		a := new(applicant)
		if !l.apply(a) {
			t.Fatal("it does not wait")
		}
		all = append(all, a)
	}
	if n := testing.AllocsPerRun(10, func() { l.beImpatient(all[50]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	l.all.ending = 0
	l.beImpatient(all[50])
	if n := len(l.waiting); n != 99 || slices.Contains(l.waiting, all[50]) || all[50].refused != tooMany {
		t.Errorf("%d wait", n)
	}
}

// A step that refuses behind the one that takes a place does not lose it.
func TestRefusedWithAPlace(t *testing.T) {
	before := toSession
	defer func() { toSession = before }()
	toSession = append(slices.Clip(before), func(*admission) *Refusal { return clientGone })
	h := child(&Handler{Limits: &Limits{MaxSessions: 1}}, "echo")
	for range 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, upgradeRequest())
		l := h.Limits
		if w.Body.String() != "client gone\n" || l.all != (taken{}) || l.begun+h.sessions()+len(h.service().allLaunchers()) != 0 {
			t.Errorf("%d %q, and left: %+v, %d begun, %d sessions", w.Code, w.Body, l.all, l.begun, h.sessions())
		}
	}
}

// Whatever is told of a request, Shutdown waits for it.
func TestLastEvents(t *testing.T) {
	t.Run("handshake failed", func(t *testing.T) {
		h := child(&Handler{}, "echo")
		told := 0
		h.Events = func(e Event) {
			if _, ok := e.(HandshakeFailed); !ok || h.sessions() != 1 {
				t.Errorf("%T, %d sessions", e, h.sessions())
			}
			told++
		}
		h.ServeHTTP(httptest.NewRecorder(), upgradeRequest()) // has no connection to take over
		if told != 1 || h.sessions() != 0 {
			t.Errorf("%d events, %d sessions", told, h.sessions())
		}
	})
	t.Run("CGI refused", func(t *testing.T) {
		h := &Handler{Bounds: Bounds{MaxMessageSize: 1}}
		root := withCGI(t, h)
		told := 0
		h.Events = func(e Event) {
			if _, ok := e.(Refused); !ok || h.sessions() != 1 {
				t.Errorf("%T, %d sessions", e, h.sessions())
			}
			told++
		}
		r := httptest.NewRequest("POST", asked("size"), http.NoBody)
		r.Host, r.ContentLength = "localhost", 2
		h.ServeCGI(httptest.NewRecorder(), r, root)
		if told != 1 || h.sessions() != 0 {
			t.Errorf("%d events, %d sessions", told, h.sessions())
		}
	})
	t.Run("CGI malformed", func(t *testing.T) {
		h := &Handler{}
		withCGI(t, h)
		ended := make(chan struct{})
		h.Events = func(e Event) {
			switch e.(type) {
			case CGIEnded:
				close(ended)
			case CGIMalformed:
				select {
				case <-ended:
					t.Error("the program's end was told before")
				case <-time.After(100 * time.Millisecond): // enough for an end that does not wait
				}
			}
		}
		log := record(t, h)
		request(t, serve(t, h), "GET", asked("exit&3"), nil)
		log.wait(an[CGIEnded]())
	})
}
