package bridge

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A unix socket is a server as any other, with and without TLS.
func TestClientOverAUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "ws") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, secure := range []bool{false, true} {
		name := filepath.Join(dir, map[bool]string{false: "a b:c.sock", true: "t.sock"}[secure])
		ln, err := net.Listen("unix", name)
		if err != nil {
			t.Skip(err)
		}
		h := child(&Handler{}, "env", "PATH_INFO", "QUERY_STRING", "HTTP_HOST")
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/away":
				http.Redirect(w, r, "ws://127.0.0.1:1/", http.StatusFound)
			case "/here":
				http.Redirect(w, r, "/path", http.StatusFound)
			default:
				h.ServeHTTP(w, r)
			}
		}))
		srv.Listener.Close()
		srv.Listener = ln
		scheme := "ws+unix://"
		if secure {
			scheme = "wss+unix://"
			srv.StartTLS()
		} else {
			srv.Start()
		}
		defer srv.Close()
		defer h.Shutdown(t.Context())
		slashed := filepath.ToSlash(name)
		if slashed[0] != '/' {
			slashed = "/" + slashed
		}
		url := scheme + strings.NewReplacer(" ", "%20", "b:c", "b%3Ac").Replace(slashed)
		var out bytes.Buffer
		c := &Client{Stdout: &out, Linger: -1}
		if secure {
			c.TLS = srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			c.TLS.ServerName = "example.com"
		}
		for _, again := range []*Reconnect{nil, {}} {
			c.Reconnect = again
			out.Reset()
			end, err := c.Run(t.Context(), url+":/path?a=b c")
			if want := "/path\na=b%20c\nlocalhost\n"; err != nil || end.Code != 1000 || out.String() != want {
				t.Errorf("%q, %v, %v", out.String(), end, err)
			}
		}
		c.Reconnect = nil
		if end, err := c.Run(t.Context(), url+":/here"); err != nil || end.Code != 1000 {
			t.Errorf("%v, %v", end, err)
		}
		if _, err := c.Run(t.Context(), url); err != nil {
			t.Errorf("without a path: %v", err)
		}
		if _, err := c.Run(t.Context(), url+":/away"); err == nil || !strings.Contains(err.Error(), "redirects away from its unix socket") {
			t.Errorf("away: %v", err)
		}
	}
	for _, url := range []string{"ws+unix://run/app.sock:/path", "ws+unix:///%zz:/", "ws+unix:"} {
		if _, err := new(Client).Run(t.Context(), url); err == nil {
			t.Errorf("%s: no error", url)
		}
	}
}
