package bridge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A witnessing refuses everybody and records what they sent.
type witnessing struct {
	got chan *http.Request
}

func (r witnessing) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.got <- q
	w.WriteHeader(http.StatusForbidden)
}

// What the user gives for a server goes to no other one.
func TestClientRedirects(t *testing.T) {
	for _, test := range []struct {
		name           string
		fromTLS, toTLS bool
		host           string // in the place of 127.0.0.1
		carries        bool
	}{
		{"same server", false, false, "", true},
		{"to TLS", false, true, "", true},
		{"to another port", false, false, "127.0.0.1", false},
		{"from TLS", true, false, "", false},
		{"to another host", false, false, "localhost", false},
		{"to TLS on another host", false, true, "localhost", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rec := witnessing{make(chan *http.Request, 1)}
			to := httptest.NewUnstartedServer(rec)
			if test.toTLS {
				to.StartTLS()
			} else {
				to.Start()
			}
			defer to.Close()
			location := "ws" + strings.TrimPrefix(to.URL, "http") + "/next"
			if test.host != "" {
				location = strings.Replace(location, "127.0.0.1", test.host, 1)
			}
			if test.name == "same server" {
				location = "/next"
			}
			from := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/next" {
					rec.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusFound)
				_ = http.NewResponseController(w).Flush()
			}))
			if test.fromTLS {
				from.StartTLS()
			} else {
				from.Start()
			}
			defer from.Close()
			c := &Client{
				Header: http.Header{"X-Token": {"secret"}, "Cookie": {"secret"}, "Upgrade": {"h2c"}},
				TLS:    to.Client().Transport.(*http.Transport).TLSClientConfig,
			}
			if test.fromTLS {
				c.TLS = from.Client().Transport.(*http.Transport).TLSClientConfig
			}
			if test.toTLS && test.host != "" {
				c.TLS = c.TLS.Clone()
				c.TLS.ServerName = "example.com"
			}
			url := strings.Replace(from.URL, "://", "://user:secret@", 1) + "/?a b=secret"
			_, err := c.Run(t.Context(), url)
			if err == nil || strings.Contains(strings.Replace(err.Error(), "a%20b=secret", "", 1), "secret") {
				t.Errorf("got %v", err)
			}
			var got *http.Request
			select {
			case got = <-rec.got:
			default:
				t.Fatal("nobody was asked")
			}
			user, password, _ := got.BasicAuth()
			if carried := user == "user" && password == "secret"; carried != test.carries {
				t.Errorf("it carries Authorization: %q", got.Header["Authorization"])
			}
			for _, name := range []string{"X-Token", "Cookie"} {
				if carried := got.Header.Get(name) == "secret"; carried != test.carries {
					t.Errorf("it carries %s: %q", name, got.Header[name])
				}
			}
			if got.Header.Get("Referer") != "" || got.Header.Get("Upgrade") != "websocket" {
				t.Errorf("got %v", got.Header)
			}
		})
	}
}

// What may not stand in a URL is encoded.
func TestClientEncodesItsURL(t *testing.T) {
	rec := witnessing{make(chan *http.Request, 1)}
	srv := httptest.NewServer(rec)
	defer srv.Close()
	_, err := new(Client).Run(t.Context(), " "+srv.URL+"/a b?c d=\u00e9#f")
	if err == nil {
		t.Error("no error")
	}
	select {
	case r := <-rec.got:
		if r.RequestURI != "/a%20b?c%20d=%C3%A9" {
			t.Errorf("got %q", r.RequestURI)
		}
	default:
		t.Errorf("nobody was asked: %v", err)
	}
}
