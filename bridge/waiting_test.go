package bridge

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsbridge/wsbridge/process"
)

// enters is a request that wants a place, in a bubble of synctest.
type enters struct {
	*admission
	leave   context.CancelFunc
	refused *Refusal
	took    time.Duration
	done    atomic.Bool
}

// enter lets a request from an address try to get a place. It returns when
// the request has its answer or waits for it.
func enter(h *Handler, addr string) *enters {
	ctx, cancel := context.WithCancel(context.Background())
	r := upgradeRequest().WithContext(ctx)
	r.RemoteAddr = addr
	e := &enters{admission: h.admission(r), leave: cancel}
	begin := time.Now()
	go func() {
		defer cancel()
		e.refused = e.takePlace()
		e.took = time.Since(begin)
		e.done.Store(true)
	}()
	synctest.Wait()
	return e
}

// in takes a place that is free.
func in(t *testing.T, h *Handler, addr string) *place {
	t.Helper()
	e := enter(h, addr)
	if e.status() != http.StatusSwitchingProtocols {
		t.Fatalf("%s did not get in: %v", addr, e.refused)
	}
	return e.place
}

// status is that of the answer, or 0 while there is none.
func (e *enters) status() int {
	synctest.Wait()
	switch {
	case !e.done.Load():
		return 0
	case e.refused != nil:
		return e.refused.Status
	}
	return http.StatusSwitchingProtocols
}

const someone, another = "192.0.2.1:80", "192.0.2.2:80"

// What a request that finds the places taken gets, and when.
func TestWaiting(t *testing.T) {
	const grace = 3 * time.Second
	ladder := process.Ladder(grace)
	if want := 850*time.Millisecond + 3*grace; ladder != want {
		t.Fatalf("the ladder takes %v, want %v", ladder, want)
	}
	for _, test := range []struct {
		name   string
		during func(h *Handler, p *place, e *enters)
		status int
		took   time.Duration
	}{
		{"nobody ends", func(*Handler, *place, *enters) {}, 429, noticeLimit},
		{"the end is noticed a little later", func(_ *Handler, p *place, _ *enters) {
			time.Sleep(noticeLimit / 2)
			p.ending()
			time.Sleep(noticeLimit)
			p.programGone()
		}, 101, noticeLimit + noticeLimit/2},
		{"the end is noticed too late", func(_ *Handler, p *place, _ *enters) {
			time.Sleep(2 * noticeLimit)
			p.ending()
			p.programGone()
		}, 429, noticeLimit},
		{"at once", func(_ *Handler, p *place, _ *enters) { p.ending(); p.programGone() }, 101, 0},
		{"a session without a program", func(_ *Handler, p *place, _ *enters) { p.free() }, 101, 0},
		{"at the end of the ladder", func(_ *Handler, p *place, _ *enters) {
			p.ending()
			time.Sleep(ladder)
			p.programGone()
		}, 101, ladder},
		{"too late", func(_ *Handler, p *place, _ *enters) { p.ending() }, 429, ladder + waitLimit},
		{"the client leaves", func(_ *Handler, p *place, e *enters) {
			p.ending()
			time.Sleep(time.Second)
			e.leave()
		}, 503, time.Second},
		{"the server ends", func(h *Handler, p *place, e *enters) {
			p.ending()
			time.Sleep(time.Second)
			go h.Shutdown(context.Background())
		}, 503, time.Second},
	} {
		for name, limits := range map[string]func() *Limits{
			"forks":   func() *Limits { return &Limits{MaxForks: 1} },
			"address": func() *Limits { return &Limits{MaxPerAddress: 1} },
		} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := &Handler{Bounds: Bounds{Grace: grace}, Limits: limits()}
					log := record(t, h)
					p := in(t, h, someone)
					e := enter(h, someone)
					if e.done.Load() || log.count(an[Waiting]()) != 1 {
						t.Fatalf("it does not wait: %d", e.status())
					}
					if n := h.Limits.all.places; n != 1 || h.sessions() != 1 {
						t.Errorf("it counts: %d places, %d sessions", n, h.sessions())
					}
					test.during(h, p, e)
					time.Sleep(time.Hour)
					if status := e.status(); status != test.status || e.took != test.took {
						t.Errorf("%d after %v, want %d after %v", status, e.took, test.status, test.took)
					}
					p.free()
					e.place.free()
					if l := h.Limits; l.all != (taken{}) || len(l.perAddress)+len(l.waiting)+h.sessions() != 0 {
						t.Errorf("left: %+v, %v, %d waiting, %d sessions", l.all, l.perAddress, len(l.waiting), h.sessions())
					}
				})
			})
		}
	}
}

// Who waits is served in the order of arrival, and nobody overtakes.
func TestWaitingInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{Limits: &Limits{MaxForks: 3}}
		var places []*place
		var waiting []*enters
		for range 3 {
			p := in(t, h, someone)
			p.ending()
			places = append(places, p)
		}
		for range 3 {
			waiting = append(waiting, enter(h, someone))
		}
		if e := enter(h, someone); e.status() != 429 || e.took != 0 {
			t.Errorf("one more than there are places: %d after %v", e.status(), e.took)
		}
		for i, p := range places {
			p.programGone()
			late := enter(h, another)
			for k, e := range waiting {
				if want := map[bool]int{true: 101}[k <= i]; e.status() != want {
					t.Errorf("when %d are free, number %d has %d", i+1, k, e.status())
				}
			}
			if late.done.Load() {
				t.Errorf("somebody who came later has %d", late.status())
			}
			late.leave()
			synctest.Wait()
		}
		if n := h.Limits.all.places; n != 3 {
			t.Errorf("%d places are taken", n)
		}
	})
}

// When no session is ending any more, those who are left are refused.
func TestWaitingForFewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{Limits: &Limits{MaxForks: 2}}
		p := in(t, h, someone)
		in(t, h, someone)
		p.ending()
		first, second := enter(h, someone), enter(h, someone)
		time.Sleep(2 * noticeLimit)
		p.programGone()
		synctest.Wait()
		if first.status() != 101 || second.status() != 429 {
			t.Errorf("%d and %d", first.status(), second.status())
		}
	})
}

// Who waits for an address to have fewer sessions holds up no other address.
func TestWaitingForAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Handler{Limits: &Limits{MaxForks: 3, MaxPerAddress: 1}}
		one, other := in(t, h, someone), in(t, h, another)
		one.ending()
		waits := enter(h, someone)
		in(t, h, "192.0.2.3:80").free()
		other.free()
		in(t, h, another)
		if waits.done.Load() {
			t.Errorf("it has %d", waits.status())
		}
		one.programGone()
		synctest.Wait()
		if waits.status() != 101 {
			t.Errorf("it has %d", waits.status())
		}
	})
}

// A place that comes when nobody waits for it any more is not lost.
func TestWaitingAndLeaving(t *testing.T) {
	for range 100 {
		h := &Handler{Limits: &Limits{MaxForks: 1}}
		log := record(t, h)
		first := h.admission(upgradeRequest())
		if refused := first.takePlace(); refused != nil {
			t.Fatal(refused)
		}
		first.place.ending()
		ctx, leave := context.WithCancel(t.Context())
		a := h.admission(upgradeRequest().WithContext(ctx))
		var wg sync.WaitGroup
		wg.Go(func() {
			if a.takePlace() == nil {
				a.place.free()
			}
		})
		log.wait(an[Waiting]())
		wg.Go(leave)
		wg.Go(first.place.free)
		wg.Wait()
		if l := h.Limits; l.all != (taken{}) || len(l.waiting)+l.begun+h.sessions() != 0 {
			t.Fatalf("left: %+v, %d waiting, %d begun, %d sessions", l.all, len(l.waiting), l.begun, h.sessions())
		}
	}
}

// Handlers that share Limits share the places, and nothing else.
func TestSharedLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := &Limits{MaxForks: 1}
		one, other := &Handler{Limits: limits}, &Handler{Limits: limits}
		p := in(t, one, someone)
		p.ending()
		waits := enter(other, someone)
		go one.Shutdown(context.Background())
		synctest.Wait()
		if waits.done.Load() {
			t.Errorf("the other Handler's end gives %d", waits.status())
		}
		p.free()
		synctest.Wait()
		if waits.status() != 101 || one.sessions() != 0 || other.sessions() != 1 {
			t.Errorf("%d, %d and %d sessions", waits.status(), one.sessions(), other.sessions())
		}
		if e := enter(one, someone); e.status() != 503 {
			t.Errorf("a Handler that is shut down: %d", e.status())
		}
	})
}
