//go:build unix

package cmd

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

type environ = map[string]string

// environments are command lines, what they pass on of this environment, and
// what a command is told of some requests beside it.
var environments = []struct {
	name     string
	env      []string
	args     []string
	over     string // tls or unix; empty: TCP
	dir      bool   // the command is sub/env.sh of a --dir
	passed   environ
	requests []environRequest
}{
	{
		name: "of requests",
		args: []string{"--passenv=", "--origin=*"},
		requests: []environRequest{
			{target: "/"},
			{target: "/?", want: environ{"REQUEST_URI": "/?"}},
			{target: "/?name=me&msg=hello%20world", want: environ{
				"REQUEST_URI":  "/?name=me&msg=hello%20world",
				"QUERY_STRING": "name=me&msg=hello%20world",
			}},
			{target: "/a/b.c", want: environ{
				"REQUEST_URI":     "/a/b.c",
				"PATH_INFO":       "/a/b.c",
				"PATH_TRANSLATED": "/a/b.c",
			}},
			{target: "/a%20b%2Fc/%C3%A4?%2F", want: environ{
				"REQUEST_URI":     "/a%20b%2Fc/%C3%A4?%2F",
				"PATH_INFO":       "/a b/c/ä",
				"PATH_TRANSLATED": "/a b/c/ä",
				"QUERY_STRING":    "%2F",
			}},
			{target: "/", headers: []string{"Origin: http://example.com", "User-Agent: test/1", "Authorization: Basic eA=="}, want: environ{
				"HTTP_ORIGIN":        "http://example.com",
				"HTTP_USER_AGENT":    "test/1",
				"HTTP_AUTHORIZATION": "Basic eA==",
			}},
			{target: "/", headers: []string{"X-Several: a", "x-several: b, c", "X-SEVERAL:", "X-Empty:", "X-Quoted: \"a\\\t\xe9\""}, want: environ{
				"HTTP_X_SEVERAL": "a, b, c, ",
				"HTTP_X_EMPTY":   "",
				"HTTP_X_QUOTED":  "\"a\\\t\xe9\"",
			}},
			{target: "/", headers: []string{"Cookie: session=1234; prefs=foo"}, want: environ{"HTTP_COOKIE": "session=1234; prefs=foo"}},
			{target: "/", headers: []string{"Cookie: a=1", "Cookie: b=2; c=3"}, want: environ{"HTTP_COOKIE": "a=1; b=2; c=3"}},
			{target: "/", headers: []string{"Sec-WebSocket-Protocol: chat, superchat"}, want: environ{"HTTP_SEC_WEBSOCKET_PROTOCOL": "chat, superchat"}},

			// No header becomes a variable that programs take for another's word.
			{target: "/", headers: []string{"Proxy: http://evil.example"}},
			{target: "/", headers: []string{"X_Under: 1", "X.Dot: 2"}},
			{target: "/", headers: []string{"Remote-Addr: 1", "Https: on", "Path: /evil", "Content-Type: text/plain", "Http-Host: evil.example"}, want: environ{
				"HTTP_REMOTE_ADDR":  "1",
				"HTTP_HTTPS":        "on",
				"HTTP_PATH":         "/evil",
				"HTTP_CONTENT_TYPE": "text/plain",
				"HTTP_HTTP_HOST":    "evil.example",
			}},

			{target: "/", host: "localhost", want: environ{"SERVER_NAME": "localhost", "SERVER_PORT": "80"}},
			{target: "/", host: "localhost:1234", want: environ{"SERVER_NAME": "localhost", "SERVER_PORT": "1234"}},
			{target: "/", host: "example.com", want: environ{"SERVER_NAME": "example.com", "SERVER_PORT": "80"}},
			{target: "/", host: "[::1]", want: environ{"SERVER_NAME": "::1", "SERVER_PORT": "80"}},
			{target: "/", host: "[::1]:1234", want: environ{"SERVER_NAME": "::1", "SERVER_PORT": "1234"}},
		},
	}, {
		name: "of requests over TLS",
		args: []string{"--passenv=", "--ssl"},
		over: "tls",
		requests: []environRequest{
			{target: "/", want: environ{"HTTPS": "on"}},
			{target: "/", host: "localhost", want: environ{"HTTPS": "on", "SERVER_NAME": "localhost", "SERVER_PORT": "443"}},
		},
	}, {
		name: "of requests over a unix socket",
		args: []string{"--passenv="},
		over: "unix",
		requests: []environRequest{
			{target: "/", host: "localhost", want: environ{
				"SERVER_NAME": "localhost",
				"SERVER_PORT": "80",
				"REMOTE_ADDR": "unix-socket",
				"REMOTE_HOST": "unix-socket",
				"REMOTE_PORT": "",
			}},
		},
	}, {
		name: "of a subprotocol",
		args: []string{"--passenv=", "--subprotocol=two,three"},
		requests: []environRequest{
			{target: "/", headers: []string{"Sec-WebSocket-Protocol: one, two", "Sec-WebSocket-Protocol: three"}, want: environ{
				"HTTP_SEC_WEBSOCKET_PROTOCOL": "one, two, three",
				"WEBSOCKET_PROTOCOL":          "two",
			}},
			{target: "/", headers: []string{"Sec-WebSocket-Protocol: one"}, want: environ{"HTTP_SEC_WEBSOCKET_PROTOCOL": "one"}},
		},
	}, {
		name: "of a directory of programs",
		args: []string{"--passenv="},
		dir:  true,
		requests: []environRequest{
			{target: "/sub/env.sh", want: environ{
				"REQUEST_URI": "/sub/env.sh", "SCRIPT_NAME": "/sub/env.sh", "PATH_INFO": "", "PATH_TRANSLATED": "",
			}},
			{target: "/sub/env.sh/rest%20of/it?a=b", want: environ{
				"REQUEST_URI": "/sub/env.sh/rest%20of/it?a=b", "QUERY_STRING": "a=b",
				"SCRIPT_NAME": "/sub/env.sh", "PATH_INFO": "/rest of/it", "PATH_TRANSLATED": "DIR/rest of/it",
			}},
		},
	}, {
		name:     "passed by default",
		env:      []string{"PATH=/bin", "LD_LIBRARY_PATH=/lib", "DYLD_LIBRARY_PATH=/lib", "HOME=/root", "SECRET=s"},
		passed:   onlyDefaults(environ{"PATH": "/bin", "LD_LIBRARY_PATH": "/lib", "DYLD_LIBRARY_PATH": "/lib"}),
		requests: []environRequest{{target: "/"}},
	}, {
		name:     "empty ones of the default",
		env:      []string{"PATH=/bin", "LD_LIBRARY_PATH=", "DYLD_LIBRARY_PATH="},
		passed:   environ{"PATH": "/bin"},
		requests: []environRequest{{target: "/"}},
	}, {
		name:     "by name, in place of the default",
		env:      []string{"PATH=/bin", "ONE=1", "TWO=a=b 'c'", "EMPTY=", "SECRET=s"},
		args:     []string{"--passenv", "ONE,EMPTY", "-passenv=TWO, NONE"},
		passed:   environ{"ONE": "1", "TWO": "a=b 'c'"},
		requests: []environRequest{{target: "/"}},
	}, {
		name:     "with a value",
		env:      []string{"PATH=/bin", "ONE=1"},
		args:     []string{"--passenv=PATH,ONE=2,NEW=a=b", "--passenv=NIL="},
		passed:   environ{"PATH": "/bin", "ONE": "2", "NEW": "a=b", "NIL": ""},
		requests: []environRequest{{target: "/"}},
	}, {
		name:     "all",
		env:      []string{"PATH=/bin", "HOME=/root", "SECRET=s", "EMPTY="},
		args:     []string{"--passenv=*"},
		passed:   environ{"PATH": "/bin", "HOME": "/root", "SECRET": "s", "EMPTY": ""},
		requests: []environRequest{{target: "/"}},
	}, {
		name:   "shadowing the request",
		env:    []string{"PATH=/bin", "REMOTE_ADDR=10.0.0.1", "HTTP_HOST=evil.example", "QUERY_STRING=x", "HTTP_X_GIVEN=server", "HTTP_PROXY=http://proxy.example"},
		args:   []string{"--passenv=*"},
		passed: environ{"PATH": "/bin", "HTTP_X_GIVEN": "server", "HTTP_PROXY": "http://proxy.example"},
		requests: []environRequest{
			{target: "/", headers: []string{"Proxy: http://evil.example", "X-Given: client"}},
		},
	},
}

type environRequest struct {
	target  string
	host    string // empty: where the server listens
	headers []string
	want    environ // what differs from a request for / without other headers
}

// What a command's environment has, and that it has nothing else.
func TestEnvironment(t *testing.T) {
	child, err := exec.LookPath("child")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range environments {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			command := []string{child, "environ"}
			var dir string
			if test.dir {
				dir = t.TempDir()
				command = []string{"--dir=" + dir}
				writeScript(t, filepath.Join(dir, "sub", "env.sh"), "exec "+child+" environ")
			}
			s := serveEnviron(t, test.over, test.env, append(test.args, command...)...)
			ids := map[string]bool{}
			for _, r := range test.requests {
				got, want := r.ask(s.connect(t))
				maps.Copy(want, test.passed)
				if test.dir {
					for _, own := range []string{"PWD", "OLDPWD", "SHLVL", "_"} {
						delete(got, own) // of the shell, or some shells
					}
				}
				want["PATH_TRANSLATED"] = strings.Replace(want["PATH_TRANSLATED"], "DIR", dir, 1)
				if id := got["UNIQUE_ID"]; id == "" || ids[id] {
					t.Errorf("%s %q: UNIQUE_ID=%s", r.target, r.headers, id)
				}
				ids[got["UNIQUE_ID"]] = true
				delete(got, "UNIQUE_ID")
				if !maps.Equal(got, want) {
					t.Errorf("%s %q:\ngot  %q\nwant %q", r.target, r.headers, got, want)
				}
			}
		})
	}
}

func writeScript(t *testing.T, file, line string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+line+"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
}
