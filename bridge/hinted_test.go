package bridge

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// A client that leaves because none of its subprotocols was chosen.
func TestNoSubprotocol(t *testing.T) {
	offer := "Sec-WebSocket-Protocol: v1, v2"
	for _, test := range []struct {
		name    string
		speaks  []string
		headers []string
		child   []string
		act     func(*peer)
		want    []string // the offer that is told of
	}{
		{"drops the connection", nil, []string{offer}, []string{"echo"}, (*peer).drop, []string{"v1", "v2"}},
		{"closes", nil, []string{offer, "Sec-WebSocket-Protocol: v3"}, []string{"echo"}, leaves(1000), []string{"v1", "v2", "v3"}},
		{"closes without a code", []string{"other"}, []string{offer}, []string{"echo"}, (*peer).leavesSilently, []string{"v1", "v2"}},
		{"got one", []string{"v2"}, []string{offer}, []string{"echo"}, (*peer).drop, nil},
		{"offers none", []string{"v2"}, nil, []string{"echo"}, (*peer).drop, nil},
		{"offers nothing", []string{"v2"}, []string{"Sec-WebSocket-Protocol: ,"}, []string{"echo"}, (*peer).drop, nil},
		{"talks first", nil, []string{offer}, []string{"echo"}, func(p *peer) {
			p.write(text("hello"))
			p.message()
			p.drop()
		}, nil},
		{"stays to the end", nil, []string{offer}, []string{"exit", "0"}, func(p *peer) { p.closedAndLeft() }, nil},
		{"breaks the protocol", nil, []string{offer}, []string{"echo"}, func(p *peer) {
			p.write([]byte{0xff, 0xff})
			p.closedAndLeft()
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Subprotocols: test.speaks}, test.child[0], test.child[1:]...)
			log := record(t, h)
			srv := serve(t, h)
			p := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/", test.headers...))
			test.act(p)
			log.wait(an[Closed]())
			told := an(func(e NoSubprotocol) bool { return slices.Equal(e.Offered, test.want) && e.ID != "" })
			if n := log.count(an[NoSubprotocol]()); n > 1 || (n > 0) != (test.want != nil) || n > 0 && !log.has(told) {
				t.Errorf("told %d times, want the offer %q:\n%s", n, test.want, log)
			}
		})
	}
}

func (p *peer) drop()           { p.Close() }
func (p *peer) leavesSilently() { p.write(appendFrame(nil, finBit|opClose, nil, true)) }

func leaves(code int) func(*peer) { return func(p *peer) { p.write(closing(code, "")) } }

// A handshake of which a proxy has dropped what asks for the upgrade.
func TestUpgradeLost(t *testing.T) {
	without := func(names ...string) func(*http.Request) {
		return func(r *http.Request) {
			for _, name := range names {
				r.Header.Del(name)
			}
		}
	}
	http10 := func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.0", 0 }
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) })
	for _, test := range []struct {
		name    string
		edits   []func(*http.Request)
		missing string // that is told of
		status  int    // without Plain
		plain   int    // with it
	}{
		{"both headers", []func(*http.Request){without("Upgrade", "Connection")}, "Upgrade", 426, 299},
		{"both headers, over HTTP/1.0", []func(*http.Request){without("Upgrade", "Connection"), http10}, "Upgrade", 426, 299},
		{"Upgrade", []func(*http.Request){without("Upgrade")}, "Upgrade", 426, 299},
		{"Connection", []func(*http.Request){withHeader("Connection", "close")}, "Connection", 400, 400},
		{"the version of HTTP", []func(*http.Request){http10}, "HTTP/1.1", 426, 426},
		{"a plain request", []func(*http.Request){without("Upgrade", "Connection", "Sec-WebSocket-Key")}, "", 426, 299},
		{"a POST", []func(*http.Request){without("Upgrade"), func(r *http.Request) { r.Method = "POST" }}, "", 426, 299},
		{"another mistake", []func(*http.Request){withHeader("Sec-WebSocket-Key", "x")}, "", 400, 400},
		{"of a stranger", []func(*http.Request){without("Upgrade"), withHost("evil.example")}, "", 403, 403},
	} {
		for _, plain := range []http.Handler{nil, page} {
			h := child(&Handler{Plain: plain}, "echo")
			log := record(t, h)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, upgradeRequest(test.edits...))
			want := test.status
			if plain != nil {
				want = test.plain
			}
			told := an(func(e UpgradeLost) bool { return e.Missing == test.missing && e.Remote != "" && e.Path != "" })
			if n := log.count(an[UpgradeLost]()); w.Code != want || (n == 1) != (test.missing != "") || n > 0 && !log.has(told) {
				t.Errorf("%s: %d, want %d, told\n%s", test.name, w.Code, want, log)
			}
		}
	}
	h := &Handler{Plain: page} // has no program
	log := record(t, h)
	h.ServeHTTP(httptest.NewRecorder(), upgradeRequest(without("Upgrade")))
	if log.has(an[UpgradeLost]()) {
		t.Errorf("told of a server without WebSockets:\n%s", log)
	}
}

// So is one that shares a program.
func TestNoSubprotocolOfASharedProgram(t *testing.T) {
	h := child(&Handler{Hosting: Share{}}, "echo")
	log := record(t, h)
	srv := serve(t, h)
	connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/", "Sec-WebSocket-Protocol: v1")).drop()
	log.wait(an(func(e NoSubprotocol) bool { return slices.Equal(e.Offered, []string{"v1"}) }))
	connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/", "Sec-WebSocket-Protocol: "+countingProtocol)).drop()
	log.waitFor(2, an[Detached]())
	if n := log.count(an[NoSubprotocol]()); n != 1 {
		t.Errorf("told %d times:\n%s", n, log)
	}
}
