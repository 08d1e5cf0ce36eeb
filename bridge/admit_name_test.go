package bridge

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A zone is what a name server knows: for the name of a question, as it is
// asked, names (of the name that stands for an address) or addresses.
type zone map[string][]string

// resolver asks z, over connections in memory, and counts the questions.
func (z zone) resolver(questions *atomic.Int32) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go z.serve(server, questions)
		return client, nil
	}}
}

// serve answers questions as over TCP: each message has its length before it.
func (z zone) serve(conn net.Conn, questions *atomic.Int32) {
	defer conn.Close()
	for {
		length := make([]byte, 2)
		if _, err := io.ReadFull(conn, length); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(query); err != nil {
			return
		}
		questions.Add(1)
		z.answer(&m)
		answer, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func (z zone) answer(m *dnsmessage.Message) {
	q := m.Questions[0]
	m.Header.Response, m.Additionals = true, nil
	known, ok := z[q.Name.String()]
	if !ok {
		m.Header.RCode = dnsmessage.RCodeNameError
	}
	for _, s := range known {
		var body dnsmessage.ResourceBody
		addr, err := netip.ParseAddr(s)
		switch {
		case q.Type == dnsmessage.TypePTR:
			body = &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(s)}
		case q.Type == dnsmessage.TypeA && err == nil && addr.Is4():
			body = &dnsmessage.AResource{A: addr.As4()}
		case q.Type == dnsmessage.TypeAAAA && err == nil && addr.Is6():
			body = &dnsmessage.AAAAResource{AAAA: addr.As16()}
		default:
			continue
		}
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   body,
		})
	}
}

const (
	client4 = "192.0.2.7"
	client6 = "2001:db8::7"
	arpa4   = "7.2.0.192.in-addr.arpa."
	arpa6   = "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
)

func TestRemoteHost(t *testing.T) {
	for _, test := range []struct {
		name   string
		remote string
		zone   zone
		want   string
	}{
		{"a name", client4 + ":80", zone{arpa4: {"Client.Example."}, "Client.Example.": {"192.0.2.6", client4}}, "client.example"},
		{"of IPv6", "[" + client6 + "]:80", zone{arpa6: {"six.example."}, "six.example.": {client6}}, "six.example"},
		{"of IPv4 in IPv6", "[::ffff:" + client4 + "]:80", zone{arpa4: {"client.example."}, "client.example.": {client4}}, "client.example"},
		{"none", client4 + ":80", zone{}, client4},
		{"an empty answer", client4 + ":80", zone{arpa4: {}}, client4},
		{"that does not resolve", client4 + ":80", zone{arpa4: {"client.example."}}, client4},
		{"of somebody else", client4 + ":80", zone{arpa4: {"bank.example."}, "bank.example.": {"192.0.2.8"}}, client4},
		{"of this machine", client4 + ":80", zone{arpa4: {"localhost."}}, client4},
		{"of somebody else first", client4 + ":80",
			zone{arpa4: {"bank.example.", "client.example."}, "bank.example.": {"192.0.2.8"}, "client.example.": {client4}}, "client.example"},
		{"behind too many others", client4 + ":80",
			zone{arpa4: {"a.example.", "b.example.", "c.example.", "d.example.", "client.example."}, "client.example.": {client4}}, client4},
		{"an address", client4 + ":80", zone{arpa4: {client4 + "."}, client4 + ".": {client4}}, client4},
		{"a command", client4 + ":80", zone{arpa4: {"$(reboot).example."}, "$(reboot).example.": {client4}}, client4},
		{"a second line", client4 + ":80", zone{arpa4: {"a\nb.example."}, "a\nb.example.": {client4}}, client4},
		{"not asked for a port", client4 + ":80", zone{arpa4: {"client.example:80."}, "client.example:80.": {client4}}, client4},
	} {
		t.Run(test.name, func(t *testing.T) {
			var questions atomic.Int32
			h := &Handler{Gate: &Gate{Resolver: test.zone.resolver(&questions)}}
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = test.remote
			vars := variables(t, namedEnvironOf(h, r, "ID"))
			host, _, _ := net.SplitHostPort(test.remote)
			want := test.want
			if want == client4 {
				want = host
			}
			if vars["REMOTE_HOST"] != want || vars["REMOTE_ADDR"] != host {
				t.Errorf("REMOTE_HOST is %q, REMOTE_ADDR %q; want %q, %q", vars["REMOTE_HOST"], vars["REMOTE_ADDR"], want, host)
			}
			if n := questions.Load(); n > 1+2*maxNames {
				t.Errorf("%d questions", n)
			}
		})
	}
}

// A peer that has no address has no name, and without a Resolver nobody has.
func TestRemoteHostNotLookedUp(t *testing.T) {
	h := &Handler{}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if a := h.admission(r); a.lookUpName() != nil || a.name != "" {
		t.Error("it was looked up without a Resolver")
	}
	h.Gate = &Gate{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("somebody was asked")
		return nil, io.EOF
	}}}
	local := context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(&net.UnixAddr{Net: "unix", Name: "/run/wsbridge"}))
	r = r.WithContext(local)
	r.RemoteAddr = "@"
	if got := variables(t, namedEnvironOf(h, r, "ID"))["REMOTE_HOST"]; got != "unix-socket" {
		t.Errorf("REMOTE_HOST is %q", got)
	}
}

// A session waits for a name server that does not answer for the time limit,
// and not even that when the client leaves or the server ends.
func TestRemoteHostTimeout(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(h *Handler, leave context.CancelFunc)
		want time.Duration
	}{
		{"timeout", func(*Handler, context.CancelFunc) {}, lookupTimeout},
		{"the client leaves", func(_ *Handler, leave context.CancelFunc) { leave() }, lookupTimeout / 4},
		{"the server ends", func(h *Handler, _ context.CancelFunc) { h.service().drain(errShutdown) }, lookupTimeout / 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}}
				h := &Handler{Gate: &Gate{Resolver: silent}}
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				time.AfterFunc(lookupTimeout/4, func() { test.end(h, leave) })
				r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx)
				r.RemoteAddr = client4 + ":80"
				begin := time.Now()
				vars := variables(t, namedEnvironOf(h, r, "ID"))
				if took := time.Since(begin); took != test.want {
					t.Errorf("it took %v, want %v", took, test.want)
				}
				if vars["REMOTE_HOST"] != client4 {
					t.Errorf("REMOTE_HOST is %q", vars["REMOTE_HOST"])
				}
			})
		})
	}
}

// The child gets the name, also that of a proxy's client.
func TestRemoteHostOfSession(t *testing.T) {
	var questions atomic.Int32
	srv := serve(t, child(&Handler{
		Gate: &Gate{
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
			Resolver:       zone{arpa4: {"client.example."}, "client.example.": {client4}}.resolver(&questions),
		},
	}, "env", "REMOTE_HOST", "REMOTE_ADDR"))
	p := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/", "X-Forwarded-For: "+client4))
	for _, want := range []string{"client.example", client4} {
		if got := p.message(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p.wantClose(Ending{1000, ""})

	// Who gets no session is not looked up.
	asked := questions.Load()
	if status := handshake(t, srv, "X-Forwarded-For: "+client4, "Origin: http://evil.example"); status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}
	if now := questions.Load(); now != asked || asked == 0 {
		t.Errorf("%d questions, after the refusal %d", asked, now)
	}
}
