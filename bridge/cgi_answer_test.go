package bridge

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
)

// What a program prints, and what the client gets of it.
func TestCGIAnswers(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := new(cgi)
		if err := c.answer(w, r.Body); err != nil && c.status == 0 {
			w.WriteHeader(500)
		}
	}))
	defer srv.Close()
	long := strings.Repeat("x", 100_000)
	for _, test := range []struct {
		answer string
		status int
		header string // a line that there is, or with ! a name that there is not
		body   string
	}{
		{"Content-Type: text/plain\n\nhello", 200, "Content-Type: text/plain", "hello"},
		{"Content-Type: text/plain\r\n\r\nhello\r\n", 200, "Content-Type: text/plain", "hello\r\n"},
		{"content-type: text/plain\n\n", 200, "Content-Type: text/plain", ""},
		{"Content-Type: text/plain\n\n" + long, 200, "Content-Type: text/plain", long},
		{"Content-Type: text/html\nX-A: 1\n\n\n\nbody", 200, "X-A: 1", "\n\nbody"},
		{"Content-Type: a/b\nSet-Cookie: a=1\nSet-Cookie: b=2\n\n", 200, "Set-Cookie: b=2", ""},
		{"Content-Type: a/b\nContent-Length: 2\n\nab", 200, "Content-Length: 2", "ab"},
		{"Status: 404 Not Found\nContent-Type: a/b\n\nno", 404, "!Status", "no"},
		{"Status: 201\n\n", 201, "!Content-Type", ""},
		{"Status: 200\n\n<script>", 200, "!Content-Type", "<script>"}, // not guessed
		{"Status: 204 No Content\n\n", 204, "!Content-Type", ""},
		{"Status: 304\nETag: \"a\"\n\n", 304, `Etag: "a"`, ""},
		{"Location: http://example.com/\n\n", 302, "Location: http://example.com/", ""},
		{"Location: /elsewhere\n\n", 302, "Location: /elsewhere", ""},
		{"Status: 303\nLocation: /x\nContent-Type: a/b\n\nbody", 303, "Location: /x", "body"},
		{"Content-Type: a/b\nConnection: close\nTransfer-Encoding: chunked\nUpgrade: x\nKeep-Alive: x\n\nbody", 200, "!Upgrade", "body"},
		{"Content-Type: a/b\n\nbody without an end", 200, "", "body without an end"},

		{"", 500, "", ""},
		{"\n", 500, "", ""},
		{"hello\n", 500, "", ""},
		{"hello", 500, "", ""},
		{"Content-Type: text/plain\n", 500, "", ""},
		{"Content-Type: text/plain", 500, "", ""},
		{"X-A: 1\n\nbody", 500, "", ""},
		{" Content-Type: text/plain\n\n", 500, "", ""},
		{"Content-Type: a/b\nContent-Length: 1\ncontent-length: 4\n\nbody", 500, "", ""},
		{"Content-Type: a/b\nno colon here\n\n", 500, "", ""},
		{"Content-Type: a/b\nb(d: 1\n\n", 500, "", ""},
		{"Content-Type: a/b\nX: a\x00b\n\n", 500, "", ""},
		{"HTTP/1.1 200 OK\nContent-Type: a/b\n\n", 500, "", ""},
		{"Status: 20\n\n", 500, "", ""}, {"Status: 2000\n\n", 500, "", ""}, {"Status: abc\n\n", 500, "", ""}, {"Status: 099\n\n", 500, "", ""},
		{"Status: 101 Switching Protocols\n\n", 500, "", ""}, {"Status: 600\n\n", 500, "", ""}, {"Status: +20\n\n", 500, "", ""},
		{"Content-Type: a/b\nX-A: " + long + "\n\n", 500, "", ""},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			body := strings.NewReader(test.answer)
			resp, got := request(t, srv, method, "/", body)
			want := test.body
			if method == "HEAD" {
				want = ""
			}
			if resp.StatusCode != test.status || test.status != 500 && got != want {
				t.Errorf("%s %.60q: %s %.60q", method, test.answer, resp.Status, got)
			}
			name, value, _ := strings.Cut(test.header, ": ")
			if absent, ok := strings.CutPrefix(name, "!"); ok && resp.Header[absent] != nil || !ok && name != "" && !slices.Contains(resp.Header[name], value) {
				t.Errorf("%s %.60q: want %s in %v", method, test.answer, test.header, resp.Header)
			}
		}
	}
}

// Whatever a program prints, its answer is one that a server can give.
func FuzzCGIAnswer(f *testing.F) {
	for _, s := range []string{"", "\n", "\r\n\r\n", "Content-Type: text/plain\n\nhello", "Status: 200 OK\nContent-Type: a/b\r\n\r\n", "Status: 099\n\n", "Status: 1e2\n\n",
		"Location: /\n\n", "A: b\n c\n\n", "Connection: close\nStatus: 204\n\n", "Content-Length: -1\nContent-Type: a\n\nb", "Transfer-Encoding: chunked\nLocation: x\n\n", ": a\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, output []byte) {
		status, header, err := readAnswerHeader(bufio.NewReader(strings.NewReader(string(output))))
		if err != nil {
			return
		}
		if status < 200 || status > 599 {
			t.Errorf("status %d", status)
		}
		for _, name := range append([]string{"Status"}, ofConnection...) {
			if header.Get(name) != "" {
				t.Errorf("%s: %s", name, header.Get(name))
			}
		}
		for name, values := range header {
			if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
				t.Errorf("%q: %q", name, values)
			}
		}
	})
}

// A request whose program has run, or was to be started, is not refused: what
// became of it is told once.
func TestCGIToldOnce(t *testing.T) {
	t.Parallel()
	t.Run("malformed", func(t *testing.T) {
		h := &Handler{}
		withCGI(t, h)
		log := record(t, h)
		resp, body := request(t, serve(t, h), "GET", asked("exit&0"), nil)
		log.wait(an[CGIEnded]())
		if resp.StatusCode != 500 || body != "the program gave no valid answer\n" || log.count(an[CGIMalformed]()) != 1 || log.has(an[Refused]()) {
			t.Errorf("%s %q, %s", resp.Status, body, log)
		}
	})
	t.Run("not started", func(t *testing.T) {
		h := &Handler{}
		root := withCGI(t, h)
		log := record(t, h)
		r := httptest.NewRequest("POST", asked("tell"), removingBody{root})
		r.Host = "localhost"
		w := httptest.NewRecorder()
		h.ServeCGI(w, r, root)
		if w.Code != 500 || log.count(an[NotStarted]()) != 1 || log.has(an[Refused]()) {
			t.Errorf("%d, %s", w.Code, log)
		}
	})
	t.Run("shutdown", func(t *testing.T) {
		h := &Handler{}
		withCGI(t, h)
		log := record(t, h)
		p := dial(t, serve(t, h).Listener.Addr().String())
		fmt.Fprintf(p, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", asked("grumble"))
		log.wait(says("here"))
		h.Shutdown(t.Context()) // in its time: at once, there would be no answer
		if status := p.status(); status != 503 || !log.has(answered(0)) || log.has(an[Refused]()) {
			t.Errorf("%d, %s", status, log)
		}
	})
}

func init() {
	// grumble says a word on standard error and neither answers nor ends.
	children["grumble"] = func([]string) {
		fmt.Fprintln(os.Stderr, "here")
		children["mute"](nil)
	}
}
