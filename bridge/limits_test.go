package bridge

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestMaxPerAddress(t *testing.T) {
	for _, test := range []struct {
		name  string
		max   int
		peers []string // one after the other
		ok    int      // how many of them get in
	}{
		{"default", 0, repeated("192.0.2.1:80", 70), 64},
		{"default, IPv6", 0, repeated("[2001:db8::1]:80", 70), 64},
		{"default, loopback", 0, repeated("127.0.0.1:80", 70), 70},
		{"default, another loopback", 0, repeated("127.9.9.9:80", 70), 70},
		{"default, IPv6 loopback", 0, repeated("[::1]:80", 70), 70},
		{"default, loopback at an IPv6 socket", 0, repeated("[::ffff:127.0.0.1]:80", 70), 70},
		{"default, a unix socket", 0, repeated("@", 70), 70},
		{"off", -1, repeated("192.0.2.1:80", 70), 70},
		{"given", 2, repeated("192.0.2.1:80", 5), 2},
		{"given, loopback", 2, repeated("127.0.0.1:80", 5), 2},
		{"given, IPv6 loopback", 2, repeated("[::1]:80", 5), 2},
		{"given, a unix socket", 2, repeated("@", 5), 2},
		{"other ports", 1, []string{"192.0.2.1:80", "192.0.2.1:81", "192.0.2.1"}, 1},
		{"other addresses", 1, []string{"192.0.2.1:80", "192.0.2.2:80", "[2001:db8::1]:80"}, 3},
		{"one /64", 1, []string{"[2001:db8::1]:80", "[2001:db8::2]:80", "[2001:db8::ffff:ffff:ffff:ffff]:80"}, 1},
		{"other /64s", 1, []string{"[2001:db8:0:1::1]:80", "[2001:db8:0:2::1]:80"}, 2},
		{"IPv4 in IPv6", 1, []string{"[::ffff:192.0.2.1]:80", "192.0.2.1:80", "[::ffff:192.0.2.2]:80"}, 2},
		{"a zone", 1, []string{"[fe80::1%a]:80", "[fe80::1%b]:80"}, 1},
	} {
		h := &Handler{Limits: &Limits{MaxPerAddress: test.max}}
		ok := 0
		for _, peer := range test.peers {
			if h.from1(t, peer) {
				ok++
			}
		}
		if n := h.Limits.all.places; ok != test.ok || n != ok {
			t.Errorf("%s: %d of %d were let in, %d are counted, want %d", test.name, ok, len(test.peers), n, test.ok)
		}
	}
}

func repeated(s string, n int) []string { return strings.Split(strings.Repeat(s+" ", n-1)+s, " ") }

// from1 tells whether a session from an address gets a place.
func (h *Handler) from1(t *testing.T, addr string) bool {
	t.Helper()
	r := upgradeRequest()
	r.RemoteAddr = addr
	if addr == "@" {
		r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(&net.UnixAddr{Net: "unix"})))
	}
	_, err := tryPlace(h, r)
	if err != nil && (err.Status != 429 || err.Rule != RuleAddress || err.Reason != "too many sessions from this address") {
		t.Errorf("refused with %d: %v", err.Status, err)
	}
	return err == nil
}

// tryPlace takes a place for a request if one is free, and does not wait.
func tryPlace(h *Handler, r *http.Request) (*place, *Refusal) {
	l, c := h.limits(), h.admission(r).client
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take(&applicant{who: l.limitFor(c), sessions: 1})
}

// full is a limit that is reached.
func full() *Limits { return &Limits{MaxForks: 1, all: taken{places: 1}} }

// shutDown is a Handler that is.
func shutDown() *Handler {
	h := new(Handler)
	h.Shutdown(context.Background())
	return h
}

// Places are given back, and nothing is kept of addresses that have none.
func TestMaxPerAddressReleased(t *testing.T) {
	h := &Handler{Limits: &Limits{MaxPerAddress: 1}}
	for i := range 1000 {
		r := upgradeRequest()
		r.RemoteAddr = fmt.Sprintf("192.0.2.%d:80", i%3)
		p, err := tryPlace(h, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tryPlace(h, r); err == nil {
			t.Fatal("a second one was let in")
		}
		p.ending()
		for range 2 { // the second time nothing is left to give back
			p.programGone()
			p.free()
		}
	}
	if l := h.Limits; l.all != (taken{}) || len(l.perAddress) != 0 || l.begun != 0 {
		t.Errorf("%v places, %v, %d begun", l.all, l.perAddress, l.begun)
	}
}

// When both limits are reached, it is the server's that is told.
func TestMaxForksBeforeMaxPerAddress(t *testing.T) {
	h := &Handler{Limits: &Limits{MaxForks: 1, MaxPerAddress: 1}}
	if _, err := tryPlace(h, upgradeRequest()); err != nil {
		t.Fatal(err)
	}
	if _, err := tryPlace(h, upgradeRequest()); err == nil || err.Reason != "too many sessions" {
		t.Error(err)
	}
}

// Behind a trusted proxy the clients are counted, each for itself.
func TestMaxPerAddressBehindAProxy(t *testing.T) {
	h := &Handler{Gate: &Gate{TrustedProxies: proxies}}
	try := func(peer string, header http.Header, n int) (ok int) {
		for range n {
			if _, err := tryPlace(h, throughProxy(peer, header)); err == nil {
				ok++
			}
		}
		return ok
	}
	for _, test := range []struct {
		name   string
		peer   string
		header http.Header
		want   int
	}{
		{"a client", "127.0.0.1:1", xff("192.0.2.1"), 64},
		{"another client", "127.0.0.1:1", xff("192.0.2.2"), 64},
		{"that client by another proxy", "10.0.0.1:1", xff("192.0.2.2"), 0},
		{"that client without a proxy", "192.0.2.2:1", nil, 0},
		{"that client with a tale", "127.0.0.1:1", xff("127.0.0.1, 192.0.2.2"), 0},
		{"a client on this machine", "127.0.0.1:1", xff("127.0.0.1"), 70},
		{"this machine without a proxy", "127.0.0.1:1", nil, 70},
		// To be unknown is no way around the limit, though the proxy is here.
		{"an unknown client", "127.0.0.1:1", xff("unknown"), 64},
		{"another unknown client", "127.0.0.1:1", forwarded("junk"), 0},
		{"a client that adds the other header", "127.0.0.1:1", both("192.0.2.3", "for=127.0.0.1"), 0},
		{"a client without a tale", "127.0.0.1:1", xff("192.0.2.3"), 64},
	} {
		if got := try(test.peer, test.header, 70); got != test.want {
			t.Errorf("%s: %d were let in, want %d", test.name, got, test.want)
		}
	}
}

// A refusal tells of whom there are too many, and of the proxy that this may
// rather be.
func TestMaxPerAddressTold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		peer           string
		header         http.Header
		subject, proxy string
	}{
		{"192.0.2.1:80", nil, "192.0.2.1", ""},
		{"[2001:db8::1]:80", nil, "2001:db8::/64", ""},
		{"192.0.2.1:80", xff("x"), "192.0.2.1", "192.0.2.1"},
		{"[2001:db8::1]:80", forwarded("x"), "2001:db8::/64", "2001:db8::1"},
		{"10.0.0.1:80", xff("192.0.2.1"), "192.0.2.1", ""},
		{"10.0.0.1:80", xff("unknown"), "10.0.0.1", ""},
	} {
		h := &Handler{Gate: &Gate{TrustedProxies: proxies}, Limits: &Limits{MaxPerAddress: 1}}
		log := record(t, h)
		r := throughProxy(test.peer, test.header)
		if _, err := tryPlace(h, r); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		told := an(func(e Refused) bool {
			return e.Refusal.Rule == RuleAddress && e.Refusal.Subject == test.subject && e.Refusal.Proxy == test.proxy &&
				e.Refusal.Detail == test.subject
		})
		if w.Code != 429 || w.Body.String() != "too many sessions from this address\n" || !log.has(told) {
			t.Errorf("%s: %d %q, %s", test.peer, w.Code, w.Body, log)
		}
		// The same to a CGI program, whose request has passed the door once.
		a := h.admission(h.admission(r).request)
		if refused := a.pass([]admitStep{(*admission).takePlaceForCGI}); refused == nil || refused.Subject != test.subject || refused.Proxy != test.proxy {
			t.Errorf("%s, a second time: %+v", test.peer, refused)
		}
	}
}

// The limit with real sessions, whose places are free when they have ended.
func TestMaxPerAddressOfSessions(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Limits: &Limits{MaxPerAddress: 1}}, "echo")
	srv := serve(t, h)
	p := connect(t, srv)
	if status := handshake(t, srv); status != 429 {
		t.Errorf("got %d", status)
	}
	p.write(closing(1000, ""))
	p.wantClose(Ending{1000, ""})
	p.Close()
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the place" })
	connect(t, srv)
}
