package bridge

import (
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// A oneConn is a listener with one connection.
type oneConn struct {
	conn chan net.Conn
	addr net.Addr
}

func (l oneConn) Accept() (net.Conn, error) {
	if c, ok := <-l.conn; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l oneConn) Close() error   { return nil }
func (l oneConn) Addr() net.Addr { return l.addr }

// serveBytes has net/http read requests and calls f with each.
func serveBytes(in []byte, f func(*http.Request)) {
	nc := &wiretest.Conn{In: in, Piece: func(left int) int { return left }}
	conns := make(chan net.Conn, 1)
	conns <- nc
	var wg sync.WaitGroup
	wg.Add(1)
	srv := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(r) }),
		ErrorLog: log.New(io.Discard, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				close(conns)
				wg.Done()
			}
		},
	}
	srv.Serve(oneConn{conns, nc.LocalAddr()})
	wg.Wait()
}

// byName is variables for names that may begin with = (on Windows).
func byName(t *testing.T, env []string) map[string]string {
	t.Helper()
	vars := map[string]string{}
	for _, v := range env {
		i := 1 + strings.IndexByte(v[min(1, len(v)):], '=')
		if i == 0 {
			t.Fatalf("%q is no variable", v)
		}
		if old, twice := vars[v[:i]]; twice {
			t.Fatalf("%q is set twice, to %q and %q", v[:i], old, v[i+1:])
		}
		vars[v[:i]] = v[i+1:]
	}
	return vars
}

// Whatever a request says and Env has, the child's environment has each name
// once, nothing that exec could not pass on, what the server knows of the
// request and not what the client says of it, and no HTTP_PROXY of the
// client's.
func FuzzEnviron(f *testing.F) {
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, env := range []string{"", "PATH=/bin\nHTTP_X_GIVEN=server\nREMOTE_ADDR=10.0.0.1\nA=1\nA=2\n=C:=C:\\\n=\nNONE", "HTTP_X_GIVEN="} {
		for _, target := range []string{"/", "/a%20b?x=%20&y", "/%00", "/?%00", "http://localhost/", "//x/../y", "/%0aA=B", "/é?\xff", "*"} {
			f.Add("GET "+target+" HTTP/1.1\r\nHost: localhost:8080\r\n"+upgrade+"\r\n", env)
		}
		for _, lines := range []string{"Proxy: http://evil.example", "X-Given: client", "X_given: client", "Host: localhost", "HOST: [::1]:80", "Remote-Addr: x",
			"Content-Type: x", "Https: on", "Http-Host: x", "X=y: z", "X-A: \xff", "X-A: a\x00b", "X-A: a\r\n b", "X-A: 1\r\nx-a: 2", "Cookie: a=1\r\nCookie: b=2",
			"Content-Length: 0", "Transfer-Encoding: chunked", ": x", "X-A : y", "Path: x", "Query-String: x"} {
			f.Add("GET / HTTP/1.1\r\nHost: localhost:8080\r\n"+upgrade+lines+"\r\n\r\n", env)
		}
	}
	f.Fuzz(func(t *testing.T, request, env string) {
		h := &Handler{Env: strings.Split(env, "\n"), Gate: &Gate{Hosts: []string{"box.example"}}}
		serveBytes([]byte(request), func(r *http.Request) {
			if check(h, r) != nil {
				return
			}
			bare := r.Clone(r.Context())
			bare.Header = nil
			own := byName(t, environOf(new(Handler), bare, "ID"))
			given := byName(t, environOf(h, bare, "ID"))
			got := byName(t, environOf(h, r, "ID"))
			for name, value := range got {
				if name == "" || strings.Contains(name+value, "\x00") && !strings.Contains(env, "\x00") {
					t.Errorf("the child gets %q=%q", name, value)
				}
				if _, ok := given[name]; ok {
					continue
				}
				header, ok := strings.CutPrefix(name, "HTTP_")
				if !ok || header == "" || header == "PROXY" || !consistsOf(header, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") {
					t.Errorf("a header became %q=%q", name, value)
				}
			}
			// Whatever the headers, the rest is as without them; whatever
			// Env has, the server's own is as without it.
			for name, value := range given {
				if got[name] != value {
					t.Errorf("%s=%q, without headers %q", name, got[name], value)
				}
			}
			for name, value := range own {
				if given[name] != value {
					t.Errorf("%s=%q, without Env %q", name, given[name], value)
				}
			}
			// What the server sets, be it to nothing, stands; else no header
			// is lost.
			for _, name := range slices.Sorted(maps.Keys(r.Header)) {
				variable, ok := headerVariable(name)
				if _, set := given[variable]; !ok || set {
					continue
				}
				for _, value := range r.Header[name] {
					if !strings.Contains(got[variable], value) {
						t.Errorf("%s: %q is lost, %s=%q", name, value, variable, got[variable])
					}
				}
			}
		})
	})
}
