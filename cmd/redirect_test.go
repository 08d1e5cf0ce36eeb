package cmd

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRedirect(t *testing.T) {
	o, _, status, stderr := parse("--ssl", "--address=box.example", "--origin=https://page.example", "child")
	if status != 0 {
		t.Fatal(stderr)
	}
	site := opened(t, o)
	over := func(port int) http.Handler {
		return site.onion(timeouts{}.orDefaults(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	}
	for _, test := range []struct {
		method, host, target string
		port, status         int
		location             string
	}{
		{"GET", "localhost", "/", 8443, 301, "https://localhost:8443/"},
		{"GET", "localhost:8080", "/", 8443, 301, "https://localhost:8443/"},
		{"GET", "localhost:8080", "/", 443, 301, "https://localhost/"},
		{"GET", "127.0.0.1:80", "/a/b?c=d&e", 443, 301, "https://127.0.0.1/a/b?c=d&e"},
		{"GET", "localhost:", "/", 8443, 301, "https://localhost:8443/"},
		{"GET", "[::1]:", "/", 443, 301, "https://[::1]/"},
		{"GET", "[::1]:8080", "/", 8443, 301, "https://[::1]:8443/"},
		{"GET", "[::1]:8080", "/", 443, 301, "https://[::1]/"},
		{"GET", "[::1]", "/", 443, 301, "https://[::1]/"},
		{"GET", "[::1]", "/", 8443, 301, "https://[::1]:8443/"},
		{"GET", "Box.Example:80", "/", 8443, 301, "https://Box.Example:8443/"},
		{"GET", "page.example", "/", 8443, 301, "https://page.example:8443/"},
		{"GET", "localhost", "/a%2fb%3F?q=%2f", 443, 301, "https://localhost/a%2fb%3F?q=%2f"},
		{"GET", "localhost", "//evil.example/", 443, 301, "https://localhost//evil.example/"},
		{"GET", "localhost", "/../..//x/./y", 443, 301, "https://localhost/../..//x/./y"},
		{"GET", "localhost", "/?", 443, 301, "https://localhost/?"},
		{"GET", "localhost", "http://localhost/x?y", 8443, 301, "https://localhost:8443/x?y"},
		{"GET", "localhost", "/%0d%0aX:%20y", 443, 301, "https://localhost/%0d%0aX:%20y"},
		{"HEAD", "localhost", "/", 443, 301, "https://localhost/"},
		{"POST", "localhost", "/", 443, 308, "https://localhost/"},
		{"OPTIONS", "localhost", "/x", 443, 308, "https://localhost/x"},
		{"GET", "evil.example", "/", 443, 403, ""},
		{"GET", "localhost.evil.example", "/", 443, 403, ""},
		{"GET", "localhost@evil.example", "/", 443, 400, ""},
		{"GET", "evil.example/localhost", "/", 443, 400, ""},
		{"GET", "a b", "/", 443, 400, ""},
		{"GET", "localhost:x", "/", 443, 400, ""},
		{"GET", "", "/", 443, 400, ""},
	} {
		for _, upgrade := range []string{"", "websocket"} {
			r := httptest.NewRequest(test.method, test.target, nil)
			r.Host = test.host
			r.Header.Set("Upgrade", upgrade)
			w := httptest.NewRecorder()
			over(test.port).ServeHTTP(w, r)
			if got := w.Header().Get("Location"); w.Code != test.status || got != test.location {
				t.Errorf("%s %s at %q: %d %q", test.method, test.target, test.host, w.Code, got)
			}
			r.TLS = new(tls.ConnectionState)
			w = httptest.NewRecorder()
			over(test.port).ServeHTTP(w, r)
			want := test.status // of a Host that is refused
			switch {
			case upgrade != "" && test.method == "GET":
				want = http.StatusBadRequest // the rest of the handshake is missing
			case upgrade != "":
				want = http.StatusMethodNotAllowed
			case test.location != "":
				want = http.StatusUpgradeRequired
			}
			if got := w.Header().Get("Location"); w.Code != want || got != "" {
				t.Errorf("%s %s at %q over TLS: %d %q", test.method, test.target, test.host, w.Code, got)
			}
		}
	}
}
