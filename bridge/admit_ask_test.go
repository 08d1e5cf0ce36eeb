package bridge

import (
	"net/http/httptest"
	"os"
	"testing"
)

// A request is told what a handshake would be, which takes nothing.
func TestWouldRefuse(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	one := func() *Limits { return &Limits{MaxForks: 1, MaxPerAddress: 1, MaxSessions: 1} }
	for _, test := range []struct {
		name         string
		h            *Handler
		host, origin string
		want         Rule // 0: it is let in
	}{
		{"let in", &Handler{Limits: one()}, "localhost", "", 0},
		{"its own page", &Handler{Limits: one()}, "localhost:8080", "http://localhost:8080", 0},
		{"another host", &Handler{}, "example.com", "", RuleHost},
		{"another page", &Handler{}, "localhost", "https://example.com", RuleOrigin},
		{"no program", &Handler{CommandDir: root}, "localhost", "", RuleNotFound},
		{"full", &Handler{Limits: full()}, "localhost", "", RuleForks},
		{"over", &Handler{Limits: &Limits{MaxSessions: 1, begun: 1}}, "localhost", "", RuleSessions},
		{"a shared program", &Handler{Hosting: Share{}, Limits: &Limits{MaxClients: 1}}, "localhost", "", 0},
		{"no room for the shared program", &Handler{Hosting: Share{}, Limits: full()}, "localhost", "", RuleForks},
		{"too many clients", &Handler{Hosting: Share{}, Limits: &Limits{MaxClients: 1, clients: taken{places: 1}}}, "localhost", "", RuleClients},
	} {
		log := record(t, test.h)
		r := httptest.NewRequest("GET", "/none", nil)
		r.Host = test.host
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		places, clients, begun := test.h.limits().all, test.h.limits().clients, test.h.limits().begun
		for range 2 {
			var rule Rule
			if refused := test.h.WouldRefuse(r); refused != nil {
				rule = refused.Rule
			}
			if rule != test.want {
				t.Errorf("%s: %d, want %d", test.name, rule, test.want)
			}
		}
		if l := test.h.limits(); l.all != places || l.clients != clients || l.begun != begun || log.String() != "" {
			t.Errorf("%s: it has left a trace: %v", test.name, log)
		}
	}

	h := &Handler{Limits: one()}
	if !h.from1(t, "192.0.2.1:80") {
		t.Fatal("the first is refused")
	}
	h.Limits = &Limits{MaxPerAddress: 1, perAddress: h.Limits.perAddress}
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	r.RemoteAddr = "192.0.2.1:81"
	if refused := h.WouldRefuse(r); refused == nil || refused.Rule != RuleAddress || refused.Subject != "192.0.2.1" {
		t.Errorf("%+v", refused)
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if refused := h.WouldRefuse(r); refused == nil || refused.Rule != RuleShuttingDown {
		t.Errorf("%+v", refused)
	}
}
