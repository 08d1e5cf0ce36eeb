package cmd

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

func TestWithHeaders(t *testing.T) {
	field := func(s string) headerField { return headerField{"X-Test", s} }
	h := withHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/error": // drops Cache-Control and replaces Content-Type
			http.Error(w, "no", http.StatusForbidden)
		case "/copy":
			_, _ = io.Copy(w, strings.NewReader("body"))
		case "/hijack":
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = rw.WriteString("HTTP/1.1 299 Hijacked\r\nConnection: close\r\n\r\n")
			rw.Flush()
			conn.Close()
		default:
			_, _ = w.Write([]byte("body"))
		}
	}), []headerField{field("all"), {"Cache-Control", "no-store"}}, []headerField{field("upgrade")}, []headerField{field("plain")})
	srv := httptest.NewServer(h)
	defer srv.Close()

	for _, test := range []struct {
		path    string
		upgrade bool
		status  int
		want    []string
	}{
		{"/", false, 200, []string{"all", "plain"}},
		{"/copy", false, 200, []string{"all", "plain"}},
		{"/error", false, 403, []string{"all", "plain"}},
		{"/error", true, 403, []string{"all", "upgrade"}},
		{"/hijack", false, 299, nil},
	} {
		req, err := http.NewRequest("GET", srv.URL+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if test.upgrade {
			req.Header.Set("Connection", "keep-alive, Upgrade")
			req.Header.Set("Upgrade", "websocket")
		}
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != test.status || !reflect.DeepEqual(resp.Header["X-Test"], test.want) {
			t.Errorf("%s: %d %q", test.path, resp.StatusCode, resp.Header["X-Test"])
		}
		if got := resp.Header.Get("Cache-Control"); test.want != nil && got != "no-store" {
			t.Errorf("%s: Cache-Control: %s", test.path, got)
		}
	}
}

// What would break an answer is refused, by each of the flags.
func TestHeadersThatWouldBreakAnAnswer(t *testing.T) {
	for _, field := range []string{
		"", "x", ":", ": b", " : b", "a : b", " a: b", "a b: c", "a\tb: c", "(a): b", "a[0]: b", "é: b", "a\x00: b", "a\r: b", "a\n: b", "\"a\": b",
		"a: b\r\nc: d", "a: b\nc: d", "a: b\rc: d", "a: b\r\n\r\n<html>", "a: b\r\n c", "a: b\r", "a: b\n", "a:\r\n", "a: b\x00", "a: \x01b", "a: b\x1b[2J", "a: \x7f", "a: b\vc", "a: b\fc",
		"Connection: close", "CONNECTION: upgrade", "Content-Encoding: gzip", "content-length: 3", "Content-Range: bytes 0-1/2",
		"Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", // HTTP/2 has none of these
		"Sec-WebSocket-Accept: x", "Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: x",
		"Trailer: X", "Transfer-Encoding: chunked", "Upgrade: h2c",
	} {
		for _, flag := range []string{"--header", "--header-ws", "--header-http"} {
			o, _, status, stderr := parse(flag, field, "ls")
			if status != 2 || o != nil || !strings.HasPrefix(stderr, "wsbridge: "+flag+"=") {
				t.Errorf("%s %q: exit status %d, %q", flag, field, status, stderr)
			}
		}
	}
	for field, want := range map[string]headerField{
		"a:":                              {"A", ""},
		"a: \t b \t":                      {"A", "b"},
		"a: b\tc":                         {"A", "b\tc"},
		"x-frame-options:DENY":            {"X-Frame-Options", "DENY"},
		"Access-Control-Allow-Origin: *":  {"Access-Control-Allow-Origin", "*"},
		"Set-Cookie: a=b; Path=/":         {"Set-Cookie", "a=b; Path=/"},
		"X!#$%&'*+-.^_`|~1: é":            {"X!#$%&'*+-.^_`|~1", "é"},
		"Link: <http://a/>; rel=\"next\"": {"Link", "<http://a/>; rel=\"next\""},
	} {
		if got, err := parseAnswerHeader(field); err != nil || got[0] != want {
			t.Errorf("%q: %q, %v", field, got, err)
		}
	}
}
