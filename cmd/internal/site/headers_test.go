package site

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

func TestWithHeaders(t *testing.T) {
	field := func(s string) Field { return Field{"X-Test", s} }
	h := WithHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	}), []Field{field("all"), {"Cache-Control", "no-store"}}, []Field{field("upgrade")}, []Field{field("plain")})
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
