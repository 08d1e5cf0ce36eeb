package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/hint"
	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// parse runs the command line args with commands that only note their options.
func parse(args ...string) (serve *serveOptions, connect *connectOptions, status int, stderr string) {
	var out, errs bytes.Buffer
	std := streams{strings.NewReader(""), &out, &errs}
	root := newRootCmd(std,
		func(_ context.Context, o *serveOptions) error { serve = o; return nil },
		func(_ context.Context, o *connectOptions) error { connect = o; return nil })
	status = std.report(execute(context.Background(), root, args))
	return serve, connect, status, errs.String()
}

func TestServeDefaults(t *testing.T) {
	o, _, status, stderr := parse("cat")
	if status != 0 {
		t.Fatal(status, stderr)
	}
	if o.port != 8080 || !slices.Equal(o.addresses, []string{"127.0.0.1"}) ||
		o.maxForks != 1024 || o.maxFrameSize != 1<<20 || o.pingMS != 30000 || o.closeMS != 0 ||
		o.binary || o.sameOrigin || o.staticDir != "" || o.logLevel != "access" || o.logFormat != "text" {
		t.Errorf("%+v", o)
	}
	h := bridgeOf(o)
	if h.Bounds.PingInterval != 30*time.Second || h.Limits.MaxForks != 1024 || !slices.Equal(h.Gate.Hosts, o.addresses) ||
		!strings.HasPrefix(h.Env[len(h.Env)-1], "SERVER_SOFTWARE=wsbridge/") {
		t.Errorf("%+v", h)
	}
}

func TestServeFlags(t *testing.T) {
	for _, test := range []struct {
		args []string
		get  func(*serveOptions) any
		want any
	}{
		{[]string{"ls", "-l", "--port=1"}, command, []string{"ls", "-l", "--port=1"}},
		{[]string{"--port=0", "ls", "--help"}, command, []string{"ls", "--help"}},
		{[]string{"--", "connect", "--", "x"}, command, []string{"connect", "--", "x"}},
		{[]string{"--port", "1", "--", "help"}, command, []string{"help"}},
		{[]string{"--", "--port"}, command, []string{"--port"}},
		{[]string{"-port", "1", "ls", "-binary"}, command, []string{"ls", "-binary"}},
		{[]string{"-dir=./scripts"}, func(o *serveOptions) any { return o.commandDir }, "./scripts"},
		{[]string{"--dir", "scripts", "--staticdir=public", "--cgidir=cgi"}, command, []string{}},
		{[]string{"--cgidir=cgi"}, func(o *serveOptions) any { return o.hasSocket() }, false}, // as with websocketd
		{[]string{"--staticdir=public"}, func(o *serveOptions) any { return o.hasSocket() }, false},
		{[]string{"--staticdir=public", "ls"}, func(o *serveOptions) any { return o.hasSocket() }, true},
		{[]string{"-port=1", "ls"}, func(o *serveOptions) any { return o.port }, 1},
		{[]string{"--ssl", "ls"}, func(o *serveOptions) any { return o.port }, 8443},
		{[]string{"--ssl", "--port=8080", "ls"}, func(o *serveOptions) any { return o.port }, 8080},
		{[]string{"--ssl", "--port=0", "--redirport=8443", "ls"}, func(o *serveOptions) any { return o.port }, 0},
		{[]string{"--ssl=false", "ls"}, func(o *serveOptions) any { return o.port }, 8080},
		{[]string{"-ssl", "-sslcert", "a", "-sslkey", "b", "-sslca", "c", "-redirport", "80", "ls"},
			func(o *serveOptions) any { return o.tlsOptions }, tlsOptions{true, "a", "b", "c", 80}},
		{[]string{"-binary", "-port", "2", "ls"}, func(o *serveOptions) any { return o.port }, 2},
		{[]string{"-binary", "ls"}, func(o *serveOptions) any { return o.binary }, true},
		{[]string{"--address=::1", "--address", "[::1]", "--address=example.com", "ls"},
			func(o *serveOptions) any { return o.addresses }, []string{"::1", "::1", "example.com"}},
		{[]string{"ls"}, func(o *serveOptions) any { return o.socketMode }, fs.FileMode(0o755)},
		{[]string{"-unixsocket=s", "--unixsocket", "t", "ls"}, func(o *serveOptions) any { return o.sockets }, []string{"s", "t"}},
		{[]string{"--maxforks=0", "ls"}, maxForks, -1},
		{[]string{"--maxforks=-5", "ls"}, maxForks, -1},
		{[]string{"--maxforks=5", "ls"}, maxForks, 5},
		{[]string{"ls"}, maxFrameSize, 1 << 20},
		{[]string{"--maxframesize=8", "ls"}, maxFrameSize, 8},
		{[]string{"--maxframesize=0", "ls"}, maxFrameSize, -1}, // as with websocketd
		{[]string{"-maxframesize", "-1", "ls"}, maxFrameSize, -1},
		{[]string{"ls"}, maxPerIP, 0}, // the Handler's own default, which spares loopback
		{[]string{"--maxperip=0", "ls"}, maxPerIP, -1},
		{[]string{"--maxperip=-5", "ls"}, maxPerIP, -1},
		{[]string{"--maxperip=64", "ls"}, maxPerIP, 64},
		{[]string{"ls"}, trustProxies, "[]"},
		{[]string{"--trustproxy=10.1.2.3", "--trustproxy", "10.0.0.1/8, 2001:db8::1/32,::1", "ls"},
			trustProxies, "[10.1.2.3/32 10.0.0.0/8 2001:db8::/32 ::1/128]"},
		{[]string{"--trustproxy=::ffff:10.1.2.3", "ls"}, trustProxies, "[10.1.2.3/32]"},
		{[]string{"--trustproxy=", "ls"}, trustProxies, "[]"},
		{[]string{"--pingms=0", "ls"}, func(o *serveOptions) any { return bridgeOf(o).Bounds.PingInterval }, time.Duration(-1)},
		{[]string{"--closems=70", "ls"}, func(o *serveOptions) any { return bridgeOf(o).Bounds.Grace }, 70 * time.Millisecond},
		{[]string{"--passenv=A,B=c", "--passenv", "D", "ls"},
			func(o *serveOptions) any { return o.passEnv }, []string{"A", "B=c", "D"}},
		{[]string{"--passenv=", "ls"}, func(o *serveOptions) any { return o.passEnv }, []string(nil)},
		{[]string{"--header=a: b", "--header", "A:c:d ", "ls"},
			func(o *serveOptions) any { return o.headers }, []site.Field{{Name: "A", Value: "b"}, {Name: "A", Value: "c:d"}}},
		{[]string{"--origin=example.com,https://a.example:1", "--origin=null", "ls"},
			func(o *serveOptions) any { return len(o.origins) }, 3},
	} {
		o, _, status, stderr := parse(test.args...)
		if status != 0 || o == nil {
			t.Errorf("%q: exit status %d, %s", test.args, status, stderr)
			continue
		}
		if got := test.get(o); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: got %v, want %v", test.args, got, test.want)
		}
	}
}

func bridgeOf(o *serveOptions) *bridge.Handler { return o.newBridge(o.command, nil, o.addresses, nil) }

func command(o *serveOptions) any  { return o.command }
func maxForks(o *serveOptions) any { return bridgeOf(o).Limits.MaxForks }
func maxPerIP(o *serveOptions) any { return bridgeOf(o).Limits.MaxPerAddress }

func maxFrameSize(o *serveOptions) any { return bridgeOf(o).Bounds.MaxMessageSize }

func trustProxies(o *serveOptions) any { return fmt.Sprint(bridgeOf(o).Gate.TrustedProxies) }

// What the help says of a limit is what the flag takes.
func TestLimitValue(t *testing.T) {
	var n int
	v := limitValue{&n, 64}
	for _, step := range []struct {
		set, text string
		n         int
	}{{"", "64", 0}, {"5", "5", 5}, {"0", "0", -1}, {"-1", "0", -1}, {"64", "64", 64}} {
		if step.set != "" {
			if err := v.Set(step.set); err != nil {
				t.Error(err)
			}
		}
		if n != step.n || v.String() != step.text {
			t.Errorf("%q: %d, %s", step.set, n, v)
		}
	}
}

func TestConnectFlags(t *testing.T) {
	_, o, status, stderr := parse("connect", "ws://h/", "--linger=2s", "--header=A: b", "--origin=http://o",
		"--subprotocol=a,b", "--subprotocol=c", "--binary", "--insecure", "--", "cat", "-n", "--binary=false")
	if status != 0 {
		t.Fatal(status, stderr)
	}
	if o.url != "ws://h/" || o.linger != 2*time.Second || !slices.Equal(o.subprotocols, []string{"a", "b", "c"}) ||
		!slices.Equal(o.command, []string{"cat", "-n", "--binary=false"}) {
		t.Errorf("%+v", o)
	}
	c, err := o.client()
	if err != nil {
		t.Fatal(err)
	}
	if c.Header.Get("A") != "b" || c.Header.Get("Origin") != "http://o" || !c.TLS.InsecureSkipVerify || c.Framing == nil {
		t.Errorf("%+v", c)
	}
}

// Each mistake is exit status 2, told in one line and followed by a hint.
func TestUsageErrors(t *testing.T) {
	for _, test := range []struct {
		args   []string
		stderr string
	}{
		{nil, "no command to run\nsee 'wsbridge --help'"},
		{[]string{"--port=1"}, "no command to run\nsee"},
		{[]string{"--"}, "no command to run\nsee"},
		{[]string{"--dir=scripts", "ls", "-l"}, "--dir=scripts takes the place of a command; unexpected argument \"ls\"\nsee"},
		{[]string{"--dir=", "--staticdir="}, "no command to run\nsee"},
		{[]string{"--prot=1", "ls"}, "unknown flag: --prot\ndid you mean --port? see 'wsbridge --help'"},
		{[]string{"-prot=1", "ls"}, "unknown flag: -prot=1\ndid you mean --port? see"},
		{[]string{"--static-dir", ".", "ls"}, "unknown flag: --static-dir\ndid you mean --staticdir? see"},
		{[]string{"--header-", "a: b", "ls"}, "did you mean --header or --header-ws or --header-http? see"},
		{[]string{"--teapot", "ls"}, "unknown flag: --teapot\nsee 'wsbridge --help'"},
		{[]string{"-x", "ls"}, "unknown flag: -x\nsee 'wsbridge --help'"},
		{[]string{"--port"}, "flag needs an argument: --port\nsee"},
		{[]string{"--port=http", "ls"}, "--port=http: not a number, or out of range\nsee"},
		{[]string{"--port=65536", "ls"}, "--port=65536: must be between 0 and 65535\nsee"},
		{[]string{"--port=-1", "ls"}, "--port=-1: must be"},
		{[]string{"--binary=maybe", "ls"}, "--binary=maybe: must be true or false\nsee"},
		{[]string{"--maxframesize=1M", "ls"}, "--maxframesize=1M: not a number, or out of range\nsee"},
		{[]string{"--closems=-1", "ls"}, "--closems=-1: must be between 0 and 86400000\nsee"},
		{[]string{"--maxperip=many", "ls"}, "--maxperip=many: not a number, or out of range\nsee"},
		{[]string{"--maxperip", "ls"}, "--maxperip=ls: not a number, or out of range\nsee"},
		{[]string{"--maxperip=99999999999999999999", "ls"}, "not a number, or out of range\nsee"},
		{[]string{"--trustproxy=localhost", "ls"}, `--trustproxy=localhost: "localhost" is neither an IP address nor a range like 10.0.0.0/8` + "\nsee"},
		{[]string{"--trustproxy=10.0.0.0/33", "ls"}, "neither an IP address nor a range"},
		{[]string{"--trustproxy=10.0.0.1,10.0.0", "ls"}, `"10.0.0" is neither`},
		{[]string{"--trustproxy=10.0.0.1:80", "ls"}, "neither an IP address nor a range"},
		{[]string{"--trustproxy=fe80::1%eth0", "ls"}, "neither an IP address nor a range"},
		{[]string{"--trustproxy=::ffff:10.0.0.0/104", "ls"}, "neither an IP address nor a range"},
		{[]string{"--address=", "ls"}, "--address=: neither an IP address nor a name\nsee"},
		{[]string{"--address=a:80", "ls"}, "--address=a:80: give the port with --port=80\nsee"},
		{[]string{"--address=[::1]:80", "ls"}, "give the port with --port=80\nsee"},
		{[]string{"--address=http://a/", "ls"}, "neither an IP address nor a name\nsee"},
		{[]string{"--unixsocket=", "ls"}, "--unixsocket=: must be the path of a file\nsee"},
		{[]string{"--unixsocket=" + strings.Repeat("x", 200), "ls"}, "xxx: is 200 bytes long; "},
		{[]string{"--unixsocket=s", "--unixsocketmode=rw", "ls"}, "--unixsocketmode=rw: must be an octal number up to 0777\nsee"},
		{[]string{"--unixsocket=s", "--unixsocketmode=1777", "ls"}, "must be an octal number up to 0777\nsee"},
		{[]string{"--unixsocketmode=0600", "ls"}, "--unixsocketmode needs --unixsocket\nsee"},
		{[]string{"--loglevel=loud", "ls"}, "--loglevel=loud: must be one of debug, trace, access, info, error, fatal, none\nsee"},
		{[]string{"--logformat=xml", "ls"}, "--logformat=xml: must be one of text, json\nsee"},
		{[]string{"--passenv==x", "ls"}, `--passenv==x: "=x" is not the name of a variable` + "\nsee"},
		{[]string{"--header=x", "ls"}, `must have the form "Name: value"` + "\nsee"},
		{[]string{"--header=a: b\r\nc: d", "ls"}, "control character"},
		{[]string{"--header-ws=a: b\nc", "ls"}, "control character"},
		{[]string{"--header=a b: c", "ls"}, `"a b" is not the name of a header` + "\nsee"},
		{[]string{"--header=: c", "ls"}, `"" is not the name of a header` + "\nsee"},
		{[]string{"--header-http=content-length: 3", "ls"}, "Content-Length is set by wsbridge itself\nsee"},
		{[]string{"--sslcert=a", "--sslkey=b", "ls"}, "--sslcert needs --ssl\nsee 'wsbridge --help'"},
		{[]string{"--sslkey=b", "ls"}, "--sslkey needs --ssl\nsee"},
		{[]string{"--sslca=a", "ls"}, "--sslca needs --ssl\nsee"},
		{[]string{"--redirport=80", "ls"}, "--redirport needs --ssl\nsee"},
		{[]string{"--ssl", "--sslcert=a", "ls"}, "--sslcert needs --sslkey\nsee"},
		{[]string{"--ssl", "--sslkey=a", "ls"}, "--sslkey needs --sslcert\nsee"},
		{[]string{"--ssl", "--redirport=-1", "ls"}, "--redirport=-1: must be between 0 and 65535\nsee"},
		{[]string{"--ssl", "--redirport=65536", "ls"}, "--redirport=65536: must be"},
		{[]string{"--ssl", "--redirport=8443", "ls"}, "--redirport=8443: must differ from --port\nsee"},
		{[]string{"connect", "--sslcert=a", "wss://h"}, "--sslcert needs --sslkey\nsee 'wsbridge connect --help'"},
		{[]string{"connect", "--sslkey=a", "wss://h"}, "--sslkey needs --sslcert\nsee"},
		{[]string{"connect", "--insecure", "--sslca=a", "wss://h"}, "--sslca cannot be combined with --insecure, which verifies nothing\nsee"},
		{[]string{"connect"}, "no URL to connect to\nsee 'wsbridge connect --help'"},
		{[]string{"connect", "--bogus"}, "unknown flag: --bogus\nsee 'wsbridge connect --help'"},
		{[]string{"connect", "--sub-protocol=a", "ws://h"}, "did you mean --subprotocol? see 'wsbridge connect --help'"},
		{[]string{"connect", "localhost:80"}, "cannot connect to \"localhost:80\": it has no scheme\ndid you mean ws://localhost:80?"},
		{[]string{"connect", "127.0.0.1:80/x"}, "it has no scheme\ndid you mean ws://127.0.0.1:80/x?"},
		{[]string{"connect", "ftp://h"}, "ftp is not a WebSocket scheme\nwrite something like ws://"},
		{[]string{"connect", "ws:"}, "the host is missing\nwrite"},
		{[]string{"connect", "ws://a b/"}, "invalid character"},
		{[]string{"connect", "ws://h", "cat"}, "connect takes one URL; unexpected argument \"cat\"\nwrite a command to attach after --"},
		{[]string{"connect", "ws://h", "--"}, "no command after --\nsee"},
		{[]string{"connect", "--linger=-1s", "ws://h"}, "must be a time like 30s, or forever\nsee"},
		{[]string{"connect", "--timeout=-1s", "ws://h"}, "--timeout=-1s: must not be negative\nsee"},
		{[]string{"connect", "--timeout=1s", "--linger=0", "ws://h"}, "--linger=0, which waits for nothing\nsee"},
		{[]string{"connect", "--timeout=1s", "--linger=forever", "ws://h"}, "which never gives up\nsee"},
		{[]string{"connect", "--resume", "--reconnect", "ws://h"}, "--resume cannot be combined with --reconnect"},
		{[]string{"connect", "--resumefor=1m", "ws://h"}, "--resumefor: needs --resume or --reconnect\nsee"},
		{[]string{"connect", "--resume", "--resumefor=-1s", "ws://h"}, "--resumefor=-1s: must not be negative\nsee"},
		{[]string{"--takeover", "--share", "cat"}, "--takeover cannot be combined with --share"},
		{[]string{"connect", "--subprotocol=a b", "ws://h"}, "is not the name of a subprotocol\nsee"},
	} {
		serve, connect, status, stderr := parse(test.args...)
		if status != 2 || serve != nil || connect != nil {
			t.Errorf("%q: exit status %d, run %t", test.args, status, serve != nil || connect != nil)
		}
		if !strings.HasPrefix(stderr, "wsbridge: ") || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%q: got %q, want %q", test.args, stderr, test.stderr)
		}
	}
}

func TestReport(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		stderr string
	}{
		{nil, 0, ""},
		{errors.New("it broke"), 1, "wsbridge: it broke\n"},
		{hint.Add(errors.New("it broke"), "mend it"), 1, "wsbridge: it broke\nmend it\n"},
		{hint.Usage(errors.New("what?"), "read it"), 2, "wsbridge: what?\nread it\n"},
		{exitStatus(3), 3, ""},
	} {
		var stderr bytes.Buffer
		if status := (streams{stderr: &stderr}).report(test.err); status != test.status || stderr.String() != test.stderr {
			t.Errorf("%v: got %d %q", test.err, status, stderr.String())
		}
	}
}

func TestPassedEnv(t *testing.T) {
	t.Setenv("WSB_SET", "a=b")
	t.Setenv("WSB_EMPTY", "")
	got := passedEnv([]string{"WSB_SET", "WSB_EMPTY", "WSB_UNSET", "WSB_NEW=", "WSB_OTHER=x"})
	if want := []string{"WSB_SET=a=b", "WSB_NEW=", "WSB_OTHER=x"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := passedEnv([]string{"*"}); !slices.Equal(got, os.Environ()) {
		t.Errorf("* passes %q", got)
	}
	for _, goos := range []string{"linux", "darwin", "freebsd", "windows"} {
		if !strings.HasPrefix(defaultPassEnv(goos), "PATH,") {
			t.Errorf("%s: %s", goos, defaultPassEnv(goos))
		}
	}
}
