package bridge

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// variables reads an environment, in which no name may stand twice: programs
// do not agree on which of the two they see.
func variables(t *testing.T, env []string) map[string]string {
	t.Helper()
	vars := map[string]string{}
	for _, v := range env {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			t.Errorf("%q is no variable", v)
		}
		if old, twice := vars[name]; twice {
			t.Errorf("%s is set twice, to %q and %q", name, old, value)
		}
		vars[name] = value
	}
	return vars
}

// environOf is the environment of the program that a request starts, as far as
// the program itself makes no difference.
func environOf(h *Handler, r *http.Request, id string) []string { return h.admission(r).environ(id) }

// namedEnvironOf is that with the name of the client.
func namedEnvironOf(h *Handler, r *http.Request, id string) []string {
	a := h.admission(r)
	a.lookUpName()
	return a.environ(id)
}

func TestEnviron(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/a%20b/c?x=%20&y", nil)
	r.Host = "box.example:8080"
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header = http.Header{
		"Connection":            {"keep-alive, Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-Websocket-Key":     {"dGhlIHNhbXBsZSBub25jZQ=="},
		"Sec-Websocket-Version": {"13"},
		"User-Agent":            {"test/1"},
		"X-Several":             {"a", "b, c", ""},
		"Cookie":                {"a=1", "b=2; c=3"},
		"X-Empty":               {""},
	}
	h := &Handler{
		Env: []string{"PATH=/bin", "EMPTY=", "WITH=a=b", "SERVER_SOFTWARE=wsbridge/1.2.3"},
	}
	got := environOf(h, r, "ABCDEF")
	want := []string{
		"SERVER_SOFTWARE=wsbridge/1.2.3",
		"GATEWAY_INTERFACE=CGI/1.1",
		"SERVER_PROTOCOL=HTTP/1.1",
		"SERVER_NAME=box.example",
		"SERVER_PORT=8080",
		"REQUEST_METHOD=GET",
		"REQUEST_URI=/a%20b/c?x=%20&y",
		"SCRIPT_NAME=/",
		"PATH_INFO=/a b/c",
		"PATH_TRANSLATED=/a b/c",
		"QUERY_STRING=x=%20&y",
		"REMOTE_ADDR=192.0.2.7",
		"REMOTE_HOST=192.0.2.7",
		"REMOTE_PORT=4711",
		"UNIQUE_ID=ABCDEF",
		"WEBSOCKET_PROTOCOL=",
		"AUTH_TYPE=",
		"CONTENT_LENGTH=",
		"CONTENT_TYPE=",
		"REMOTE_IDENT=",
		"REMOTE_USER=",
		"HTTP_HOST=box.example:8080",
		"PATH=/bin",
		"EMPTY=",
		"WITH=a=b",
		"HTTP_CONNECTION=keep-alive, Upgrade",
		"HTTP_UPGRADE=websocket",
		"HTTP_SEC_WEBSOCKET_KEY=dGhlIHNhbXBsZSBub25jZQ==",
		"HTTP_SEC_WEBSOCKET_VERSION=13",
		"HTTP_USER_AGENT=test/1",
		"HTTP_X_SEVERAL=a, b, c, ",
		"HTTP_COOKIE=a=1; b=2; c=3",
		"HTTP_X_EMPTY=",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		for _, v := range want {
			if !slices.Contains(got, v) {
				t.Errorf("missing: %s", v)
			}
		}
		for _, v := range got {
			if !slices.Contains(want, v) {
				t.Errorf("unexpected: %s", v)
			}
		}
	}
	variables(t, got)
}

func TestEnvironOfZeroHandler(t *testing.T) {
	t.Setenv("WSBRIDGE_TEST_OF_ITS_OWN", "x")
	vars := variables(t, environOf(new(Handler), upgradeRequest(), "ID"))
	if got := vars["SERVER_SOFTWARE"]; got != "wsbridge" {
		t.Errorf("SERVER_SOFTWARE=%s", got)
	}
	for _, name := range []string{"WSBRIDGE_TEST_OF_ITS_OWN", "PATH", "HTTPS"} {
		if value, ok := vars[name]; ok {
			t.Errorf("%s=%s is passed on unasked", name, value)
		}
	}
}

func TestEnvironOfServer(t *testing.T) {
	for _, test := range []struct {
		host       string
		tls        bool
		name, port string
	}{
		{"box.example", false, "box.example", "80"},
		{"box.example", true, "box.example", "443"},
		{"box.example:8443", true, "box.example", "8443"},
		{"127.0.0.1", false, "127.0.0.1", "80"},
		{"127.0.0.1:8080", false, "127.0.0.1", "8080"},
		{"[::1]", false, "::1", "80"},
		{"[::1]", true, "::1", "443"},
		{"[::1]:8080", false, "::1", "8080"},
		{"127.0.0.1:", false, "127.0.0.1", "80"},
		{"[::1]:", true, "::1", "443"},
		{"::1", false, "::1", "80"},
	} {
		r := upgradeRequest(withHost(test.host))
		https, isSet := "", false
		if test.tls {
			overTLS(r)
			https, isSet = "on", true
		}
		vars := variables(t, environOf(new(Handler), r, "ID"))
		if vars["SERVER_NAME"] != test.name || vars["SERVER_PORT"] != test.port || vars["HTTP_HOST"] != test.host {
			t.Errorf("Host: %s, TLS %t: SERVER_NAME=%s SERVER_PORT=%s HTTP_HOST=%s",
				test.host, test.tls, vars["SERVER_NAME"], vars["SERVER_PORT"], vars["HTTP_HOST"])
		}
		if got, ok := vars["HTTPS"]; got != https || ok != isSet {
			t.Errorf("Host: %s, TLS %t: HTTPS=%s", test.host, test.tls, got)
		}
	}
}

func TestEnvironOfPeer(t *testing.T) {
	for _, test := range []struct {
		remote     string
		local      net.Addr
		addr, port string
	}{
		{"192.0.2.7:4711", &net.TCPAddr{}, "192.0.2.7", "4711"},
		{"[2001:db8::7]:4711", &net.TCPAddr{}, "2001:db8::7", "4711"},
		{"[fe80::7%eth0]:4711", nil, "fe80::7%eth0", "4711"},
		{"@", &net.UnixAddr{Net: "unix", Name: "/run/wsbridge"}, "unix-socket", ""},
		{"", &net.UnixAddr{Net: "unix", Name: "/run/wsbridge"}, "unix-socket", ""},
		{"/tmp/client", &net.UnixAddr{Net: "unix", Name: "/run/wsbridge"}, "unix-socket", ""},
		{"127.0.0.1:80", &net.UnixAddr{Net: "unix", Name: "/run/wsbridge"}, "unix-socket", ""},
		{"@10.0.0.1:80", &net.UnixAddr{Net: "unix", Name: "@wsbridge"}, "unix-socket", ""},
		{"192.0.2.7", &net.TCPAddr{}, "192.0.2.7", ""},
		{"2001:db8::7", nil, "2001:db8::7", ""},
		{"@", nil, "unix-socket", ""},
		{"", nil, "unix-socket", ""},
	} {
		r := upgradeRequest()
		r.RemoteAddr = test.remote
		if test.local != nil {
			r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, test.local))
		}
		vars := variables(t, environOf(new(Handler), r, "ID"))
		if vars["REMOTE_ADDR"] != test.addr || vars["REMOTE_HOST"] != test.addr || vars["REMOTE_PORT"] != test.port {
			t.Errorf("peer %q: REMOTE_ADDR=%s REMOTE_HOST=%s REMOTE_PORT=%s",
				test.remote, vars["REMOTE_ADDR"], vars["REMOTE_HOST"], vars["REMOTE_PORT"])
		}
	}
}

// A client's headers become variables of their own names and of no others.
func TestEnvironOfHeaders(t *testing.T) {
	r := upgradeRequest()
	r.Header = http.Header{
		"Proxy":           {"http://evil.example"}, // httpoxy
		"Host":            {"evil.example"},
		"X-Given":         {"by the client"},
		"X_given":         {"by the client"},
		"X_underscore":    {"by the client"},
		"X.dot":           {"by the client"},
		"Remote-Addr":     {"by the client"},
		"Remote-User":     {"by the client"},
		"Content-Length":  {"by the client"},
		"Https":           {"by the client"},
		"Path":            {"by the client"},
		"X-1":             {"one"},
		"Authorization":   {"Basic xyz"},
		"X=y":             {"by the client"},
		"Http-Host":       {"by the client"},
		"X-Forwarded-For": {"192.0.2.1"},
	}
	h := &Handler{Env: []string{"HTTP_X_GIVEN=by the server", "HTTP_PROXY=http://proxy.example", "PATH=/bin"}}
	vars := variables(t, environOf(h, r, "ID"))
	for name, want := range map[string]string{
		"HTTP_HOST":           "localhost:8080",
		"HTTP_X_GIVEN":        "by the server",
		"HTTP_PROXY":          "http://proxy.example",
		"PATH":                "/bin",
		"REMOTE_ADDR":         "192.0.2.1",
		"REMOTE_USER":         "",
		"CONTENT_LENGTH":      "",
		"HTTP_REMOTE_ADDR":    "by the client",
		"HTTP_PATH":           "by the client",
		"HTTP_HTTPS":          "by the client",
		"HTTP_HTTP_HOST":      "by the client",
		"HTTP_X_1":            "one",
		"HTTP_AUTHORIZATION":  "Basic xyz",
		"HTTP_CONTENT_LENGTH": "by the client",
	} {
		if got := vars[name]; got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"HTTPS", "HTTP_X_UNDERSCORE", "HTTP_X.DOT", "HTTP_X_DOT", "HTTP_X", "HTTP_X=Y"} {
		if value, ok := vars[name]; ok {
			t.Errorf("%s=%s", name, value)
		}
	}
	if value, ok := variables(t, environOf(new(Handler), r, "ID"))["HTTP_PROXY"]; ok {
		t.Errorf("HTTP_PROXY=%s", value)
	}
}

// What the request says is not Env's to change.
func TestEnvironPrecedence(t *testing.T) {
	h := &Handler{Env: []string{"REMOTE_ADDR=10.0.0.1", "HTTP_HOST=evil.example", "REMOTE_USER=root", "SERVER_SOFTWARE=x", "HTTPS=on", "A=1"}}
	vars := variables(t, environOf(h, upgradeRequest(), "ID"))
	for name, want := range map[string]string{
		"REMOTE_ADDR":     "192.0.2.1",
		"HTTP_HOST":       "localhost:8080",
		"REMOTE_USER":     "",
		"SERVER_SOFTWARE": "x",  // the request does not say it
		"HTTPS":           "on", // what stands in front has TLS
		"A":               "1",
	} {
		if vars[name] != want {
			t.Errorf("%s=%s, want %s", name, vars[name], want)
		}
	}
}

// Each variable is there once, the last of those that Env has of a name.
func TestEnvironOfEnvTwice(t *testing.T) {
	h := &Handler{Env: []string{"A=1", "B=1", "A=2", "=C:=C:\\one", "=D:=D:\\two", "NOTHING", "", "=", "A=3"}}
	env := environOf(h, upgradeRequest(), "ID")
	var got []string
	for _, v := range env {
		if strings.HasPrefix(v, "A=") || strings.HasPrefix(v, "B=") || strings.HasPrefix(v, "=") || strings.HasPrefix(v, "NOTHING") || v == "" {
			got = append(got, v)
		}
	}
	slices.Sort(got)
	if want := []string{"=C:=C:\\one", "=D:=D:\\two", "A=3", "B=1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
