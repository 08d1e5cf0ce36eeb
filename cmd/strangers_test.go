package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// hostileHeads are requests that end before anything of ours sees them, and
// some that do not, though they look like it. They are made when they are needed: every
// wsbridge of the tests initializes this package.
var hostileHeads = sync.OnceValue(func() []hostileHead {
	return []hostileHead{
		{"good", upgrade + "\r\n", 101},
		{"a CR in a value", upgrade + "A: a\rb\r\n\r\n", 400},
		{"a CR in a name", upgrade + "A\rB: a\r\n\r\n", 400},
		{"a CR before the colon", upgrade + "A\r: a\r\n\r\n", 400},
		{"a LF in a value", upgrade + "A: a\nb\r\n\r\n", 400},
		{"a LF in a value, which begins another header", upgrade + "A: a\nB: b\r\n\r\n", 101}, // RFC 9112, section 2.2
		{"a NUL in a value", upgrade + "A: a\x00b\r\n\r\n", 400},
		{"a NUL in a name", upgrade + "A\x00: a\r\n\r\n", 400},
		{"a NUL in the Host", "GET / HTTP/1.1\r\nHost: local\x00host\r\n" + upgradeLines + "\r\n", 400},
		{"a NUL in the path", "GET /\x00 HTTP/1.1\r\nHost: localhost\r\n" + upgradeLines + "\r\n", 400},
		{"an encoded NUL in the path", "GET /a%00b HTTP/1.1\r\nHost: localhost\r\n" + upgradeLines + "\r\n", 400},
		{"an escape in a value", upgrade + "A: \x1b[2J\r\n\r\n", 400},
		{"a DEL in a value", upgrade + "A: \x7f\r\n\r\n", 400},
		{"a folded value", upgrade + "A: a\r\n b\r\n\r\n", 101}, // a space, RFC 9112, section 5.2
		{"a folded header that looks like another", upgrade + "A: a\r\n\tOrigin: http://evil.example\r\n\r\n", 101},
		{"a fold before the first header", "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400},
		{"a space before the colon", upgrade + "A : a\r\n\r\n", 400},
		{"a header without a colon", upgrade + "A\r\n\r\n", 400},
		{"a header without a name", upgrade + ": a\r\n\r\n", 400},
		{"a name that is none", upgrade + "A(b): a\r\n\r\n", 400},
		{"no Host", "GET / HTTP/1.1\r\n" + upgradeLines + "\r\n", 400},
		{"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n" + upgradeLines + "\r\n", 400},
		{"two Hosts", upgrade + "Host: localhost\r\n\r\n", 400},
		{"a Host with a user", "GET / HTTP/1.1\r\nHost: localhost@evil.example\r\n" + upgradeLines + "\r\n", 400},
		{"another host in the request line", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n" + upgradeLines + "\r\n", 403},
		{"this host in the request line", "GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n" + upgradeLines + "\r\n", 101}, // RFC 9112, section 3.2.2
		{"two Origins", upgrade + "Origin: http://localhost\r\nOrigin: http://localhost\r\n\r\n", 400},
		{"a body", upgrade + "Content-Length: 5\r\n\r\nhello", 400},
		{"a body in chunks", upgrade + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"two lengths", upgrade + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
		{"a negative length", upgrade + "Content-Length: -1\r\n\r\n", 400},
		{"an unknown encoding", upgrade + "Transfer-Encoding: gzip\r\n\r\n", 501},
		{"an unknown expectation", upgrade + "Expect: much\r\n\r\n", 417},
		{"HTTP/3", "GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 505},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
		{"a path without a slash", "GET path HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
		{"no request line", "\r\n\r\n\r\n", 400},
		{"TLS", "\x16\x03\x01\x02\x00\x01\r\n\r\n", 400},
		{"60 KiB in one header", upgrade + "A: " + strings.Repeat("a", 60<<10) + "\r\n\r\n", 101},
		{"70 KiB in one header", upgrade + "A: " + strings.Repeat("a", 70<<10) + "\r\n\r\n", 431},
		{"70 KiB in many headers", upgrade + strings.Repeat("A: "+strings.Repeat("a", 1000)+"\r\n", 70) + "\r\n", 431},
		{"70 KiB of path", "GET /" + strings.Repeat("a", 70<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431},
		{"70 KiB of a name", upgrade + strings.Repeat("a", 70<<10) + ": a\r\n\r\n", 431},
		{"70 KiB of Host", "GET / HTTP/1.1\r\nHost: " + strings.Repeat("a", 70<<10) + "\r\n\r\n", 431},
		{"10,000 headers", upgrade + strings.Repeat("X-Header: a\r\n", 10_000) + "\r\n", 431},
		{"10,000 short headers", upgrade + strings.Repeat("A:\r\n", 10_000) + "\r\n", 101},
		{"9,000 headers of different names", upgrade + differentNames(9_000) + "\r\n", 101},
	}
})

type hostileHead struct {
	name, request string
	status        int
}

// differentNames are n headers in as few bytes as they take.
func differentNames(n int) string {
	const letters = "bcdefghijklmnopqrstuvwxyz"
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%c%c%c:\r\n", letters[i/625%25], letters[i/25%25], letters[i%25])
	}
	return b.String()
}

func TestHostileHeads(t *testing.T) {
	addr, _ := open(t, "child", "echo", "0")
	for _, test := range hostileHeads() {
		w := dial(t, addr)
		w.say(test.request)
		if status, text := w.answer("GET"); status != test.status {
			t.Errorf("%s: %d, want %d: %q", test.name, status, test.status, text)
		}
	}
}

// What the child is told of headers that somebody has thought up: no header
// becomes another, none becomes HTTP_PROXY, and nothing of one gets lost.
func TestHostileHeadersInTheEnvironment(t *testing.T) {
	addr, _ := open(t, "child", "env", "HTTP_PROXY", "HTTP_A", "HTTP_B", "HTTP_ORIGIN", "REMOTE_ADDR")
	for _, test := range []struct {
		name, lines string
		want        []string
	}{
		{"httpoxy", "Proxy: http://evil.example\r\n", []string{"HTTP_PROXY= false"}},
		{"httpoxy in upper case", "PROXY: http://evil.example\r\n", []string{"HTTP_PROXY= false"}},
		{"httpoxy, twice", "proxy: x\r\nProxy: http://evil.example\r\n", []string{"HTTP_PROXY= false"}},
		{"folded", "A: a\r\n\tOrigin: http://evil.example\r\n", []string{"HTTP_A=a Origin: http://evil.example true", "HTTP_ORIGIN= false"}},
		{"folded twice", "A: a\r\n \r\n b\r\n", []string{"HTTP_A=a  b true"}},
		{"two lines", "A: a\nB: b\r\n", []string{"HTTP_A=a true", "HTTP_B=b true"}},
		{"10,000 lines", strings.Repeat("A:\r\n", 10_000), []string{"HTTP_A=" + strings.Repeat(", ", 9_999) + " true"}},
		{"60 KiB", "A: " + strings.Repeat("a", 60<<10) + "\r\n", []string{"HTTP_A=" + strings.Repeat("a", 60<<10) + " true"}},
		{"by no proxy", "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n", []string{"REMOTE_ADDR=127.0.0.1 true"}},
	} {
		w := dial(t, addr)
		w.say(upgrade + test.lines + "\r\n")
		if status, text := w.answer("GET"); status != 101 {
			t.Errorf("%s: %q", test.name, text)
			continue
		}
		got := w.messages()
		for _, want := range test.want {
			if !strings.Contains(got, want+"\n") {
				t.Errorf("%s: got %.300q, want %.300q", test.name, got, want)
			}
		}
	}
}

// A head that never ends is cut off in time, whether the client is silent or
// goes on and on. net/http answers half a request line, and nothing else.
func TestSlowHeads(t *testing.T) {
	addr, _ := openWith(t, timeouts{header: 50 * time.Millisecond}, "child", "echo", "0")
	for _, begin := range []string{"", "G", "GET / HTTP/1.1\r\n", toLocalhost, upgrade, upgrade + "A: a"} {
		w := dial(t, addr)
		w.say(begin)
		if status, text := w.answer("GET"); status != 0 && status != 400 {
			t.Errorf("after %q: %q", begin, text)
		}
	}
	w := dial(t, addr)
	go func() {
		_, err := io.WriteString(w.Conn, upgrade+"A: ")
		for err == nil {
			time.Sleep(time.Millisecond)
			_, err = io.WriteString(w.Conn, "a")
		}
	}()
	if status, text := w.answer("GET"); status != 0 && status != 400 {
		t.Errorf("byte by byte: %q", text)
	}
}

// No answer to a stranger tells of the machine: no path, no variable, no
// version of anything.
func TestAnswersDiscloseNothing(t *testing.T) {
	dir := sitetest.Public(t)
	t.Setenv("WSBRIDGE_CANARY", "sing-no-more")
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{
		dir, filepath.Dir(dir), os.TempDir(), cwd, os.Args[0], os.Getenv("PATH"),
		"canary", "sing-no-more", "path=", "gorace",
		"go1.", runtime.Version(), "net/http", "go-http", "golang", "coder", "goroutine", "panic", "runtime", "wsbridge/", runtime.GOOS, runtime.GOARCH,
		"a-program", "an-argument", "secret", "child",
	}
	answers := 0
	check := func(name, answer string) {
		t.Helper()
		answers++
		for line := range strings.Lines(answer) {
			if name, _, ok := strings.Cut(line, ":"); ok && (strings.EqualFold(name, "Server") || strings.HasPrefix(strings.ToLower(name), "x-powered")) {
				t.Errorf("%s: %q", name, line)
			}
		}
		for _, s := range secrets {
			if strings.Contains(strings.ToLower(answer), strings.ToLower(s)) {
				t.Errorf("%s: the answer has %q in it: %q", name, s, answer)
			}
		}
	}

	// The program is gone when the first session would start it.
	program := filepath.Join(dir, "a-program")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	addr, _ := open(t, "--staticdir="+dir, "--passenv=PATH,WSBRIDGE_CANARY", program, "an-argument")
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	for _, test := range hostileHeads() {
		w := dial(t, addr)
		w.say(test.request)
		status, text := w.answer("GET")
		if status != 101 {
			check(test.name, text)
			continue
		}
		check(test.name, text+w.messages())
	}
	without := func(line string) string { return strings.Replace(upgrade, line+"\r\n", "", 1) }
	to := func(requestLine string, lines ...string) string {
		return requestLine + " HTTP/1.1\r\nHost: localhost\r\n" + strings.Join(lines, "\r\n") + "\r\n"
	}
	for _, test := range []struct {
		request string
		status  int
	}{
		{"GET / HTTP/1.1\r\nHost: evil.example\r\n", 403},
		{"GET / HTTP/1.1\r\nHost: evil.example\r\n" + upgradeLines, 403},
		{"GET / HTTP/1.1\r\nHost: a b\r\n", 400},
		{upgrade + "Origin: http://evil.example\r\n", 403},
		{upgrade + "Origin: null\r\n", 403},
		{without("Connection: Upgrade"), 400},
		{without("Sec-WebSocket-Version: 13"), 426},
		{without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400},
		{"POST / HTTP/1.1\r\nHost: localhost\r\n" + upgradeLines, 405},
		{"GET / HTTP/1.0\r\nHost: localhost\r\n" + upgradeLines, 426},
		{to("POST /"), 405},
		{to("GET /none"), 404},
		{to("GET /.env"), 404},
		{to("GET /list/"), 404},
		{to("GET /../../etc/passwd"), 404},
		{to("GET /..%2fsecret.txt"), 404},
		{to("GET /a%00b"), 404},
		{to("GET /%"), 400},
		{to("GET /" + strings.Repeat("x", 5000)), 404},
		{to("GET /sub"), 301},
		{to("GET /index.html"), 301},
		{to("GET /list/file.txt", "Range: bytes=9-", ""), 416},
		{to("GET /list/file.txt", "If-Unmodified-Since: Mon, 02 Jan 2006 15:04:05 GMT", ""), 412},
		{to("GET /list/file.txt", "If-None-Match: *", ""), 304},
		{to("OPTIONS *"), 200}, // net/http answers it, with nothing,
		{to("TRACE /"), 405},
		{to("CONNECT localhost:80"), 405},
	} {
		w := dial(t, addr)
		w.say(test.request + "\r\n")
		method, _, _ := strings.Cut(test.request, " ")
		status, text := w.answer(method)
		if status != test.status {
			t.Errorf("%q: %d, want %d", test.request, status, test.status)
		}
		check(fmt.Sprintf("%.60q", test.request), text)
	}

	// What is full, and what is about to end.
	for _, limit := range []string{"--maxforks=1", "--maxperip=1"} {
		addr, h := open(t, limit, "child", "echo")
		first := dial(t, addr)
		first.say(upgrade + "\r\n")
		_, _ = first.answer("GET")
		w := dial(t, addr)
		w.say(upgrade + "\r\n")
		status, text := w.answer("GET")
		if status != 429 {
			t.Errorf("%s: %d", limit, status)
		}
		check(limit, text)
		w = dial(t, addr)
		w.say(toLocalhost + "\r\n")
		_, text = w.answer("GET")
		check("no page", text)

		ended := make(chan error, 1)
		go func() { ended <- h.Shutdown(context.Background()) }()
		check("shutdown", first.messages())
		if _, err := first.Write([]byte{0x88, 0x80, 0, 0, 0, 0}); err != nil {
			t.Error(err)
		}
		if err := receive(t, ended); err != nil {
			t.Error(err)
		}
		w = dial(t, addr)
		w.say(upgrade + "\r\n")
		if status, text = w.answer("GET"); status != 503 {
			t.Errorf("after the shutdown: %d", status)
		}
		check("after the shutdown", text)
	}
	if answers < 60 {
		t.Errorf("only %d answers", answers)
	}
}
