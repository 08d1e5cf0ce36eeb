package cmd

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wsbridge/wsbridge/cmd/internal/listen"
)

// patience is how long a script waits for what must happen: much longer than
// the slowest machine takes.
const patience = time.Minute

// TestScript runs testdata/script/*.txtar, with these commands besides
// testscript's own:
//
//	serve [NAME=value...] [flags] COMMAND...
//		starts wsbridge, on a free port unless --unixsocket is given, waits
//		until it listens and sets $URL (ws://... or wss://...) and $PAGE
//		(http://... or https://...)
//	proxy SOCKET
//		starts a proxy in front of a unix socket and sets $URL and $PAGE
//	cut BYTES...
//		starts a proxy in front of the server, which cuts the first connections
//		after so many bytes to the client, and sets $URL
//	[!] activate KIND[,KIND...] [flags] COMMAND...
//		starts wsbridge as systemd does, with these sockets: tcp, unix (at
//		unix.sock) or, which is wrong, datagram, unixpacket or connected; with !, it
//		does not listen
//	told REGEXP
//		waits for the regexp in what the activated server tells systemd
//	signal TERM|INT|KILL
//		sends the server a signal
//	ended STATUS
//		waits for the server and compares its exit status
//	heard [-count=N] EVENT [FIELD=VALUE]...
//		waits for an event of package bridge with these values, like Ending.Code=1000
//	[!] logged REGEXP
//		waits for the regexp in the server's standard error, where what it says is
//		what is tested; with !, which wants an ended server, fails if it is there
//	get [-method METHOD] [-header 'Name: value']... [-body BODY] [-line]
//	    [-sslca FILE] [-http2] URL
//		prints the answer: status, headers sorted, body; it must come by the
//		version of HTTP that is asked for; with -line, no more than the first
//		line of the body, and stays connected
//	authority NAME
//		makes NAME.pem, the certificate of an authority
//	certificate AUTHORITY NAME HOST...
//		makes NAME.pem and NAME.key, a certificate for hosts and addresses
//	port VARIABLE
//		sets it to a free port
//
// and the condition ipv6.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":  cmdServe,
			"signal": cmdSignal,
			"ended":  cmdEnded,
			"logged": cmdLogged,
			"heard":  cmdHeard,
			"get":    cmdGet,

			"activate":    cmdActivate,
			"authority":   cmdAuthority,
			"certificate": cmdCertificate,
			"port":        cmdPort,
			"cut":         cmdCut,
			"proxy":       cmdProxy,
			"told":        cmdTold,
		},
		Condition: func(cond string) (bool, error) {
			if cond != "ipv6" {
				return false, fmt.Errorf("unknown condition %s", cond)
			}
			return haveIPv6(), nil
		},
		Setup: func(e *testscript.Env) error {
			e.Values[serverKey{}] = new(server)
			e.Values[authoritiesKey{}] = make(map[string]*authority)
			// The race detector makes each process wait a second at its end.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

type serverKey struct{}

// A server is the wsbridge that a script has started last.
type server struct {
	cmd     *exec.Cmd
	reports *reports
	stderr  *watched
	told    *watched      // by an activated one, to systemd
	done    chan struct{} // closed when Wait has returned
}

func theServer(ts *testscript.TestScript) *server {
	s := ts.Value(serverKey{}).(*server)
	if s.cmd == nil {
		ts.Fatalf("no server was started")
	}
	return s
}

func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! serve")
	}
	s := ts.Value(serverKey{}).(*server)
	var extra []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") && strings.Contains(args[0], "=") {
		extra, args = append(extra, args[0]), args[1:]
	}
	if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--unixsocket") }) {
		args = append([]string{"--port=0"}, args...)
	}
	s.start(ts, exec.Command("wsbridge", args...), extra...)
	if !s.listens(ts) {
		ts.Fatalf("the server does not listen")
	}
}

// start starts cmd, with these variables too, and kills it at the script's end.
func (s *server) start(ts *testscript.TestScript, cmd *exec.Cmd, extra ...string) {
	reports, reporting, err := newReports()
	ts.Check(err)
	ts.Defer(reports.close)
	cmd.Env = append(append(os.Environ(), reporting, "GORACE="+ts.Getenv("GORACE")), extra...)
	cmd.Dir = ts.Getenv("WORK")
	s.cmd, s.reports, s.stderr, s.done = cmd, reports, newWatched(), make(chan struct{})
	cmd.Stderr = s.stderr
	ts.Check(cmd.Start())
	go func(s server) {
		_ = s.cmd.Wait()
		close(s.done)
	}(*s)
	started := *s
	ts.Defer(func() {
		_ = started.cmd.Process.Kill()
		<-started.done
		ts.Logf("[server's stderr]\n%s", started.stderr.text())
	})
}

// listens waits until the server does.
func (s *server) listens(ts *testscript.TestScript) bool {
	place, ok := s.reports.listening()
	if ok {
		ts.Setenv("URL", place.URL)
		ts.Setenv("PAGE", place.Page)
	}
	return ok
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": os.Interrupt, "KILL": os.Kill}
	if neg || len(args) != 1 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal TERM|INT|KILL")
	}
	ts.Check(theServer(ts).cmd.Process.Signal(signals[args[0]]))
}

func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ended STATUS")
	}
	s := theServer(ts)
	select {
	case <-s.done:
	case <-time.After(patience):
		ts.Fatalf("the server does not end")
	}
	if got := strconv.Itoa(s.cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("the server ended with %s (%v)", got, s.cmd.ProcessState)
	}
}

func cmdHeard(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("heard", flag.ContinueOnError)
	n := flags.Int("count", 1, "")
	ts.Check(flags.Parse(args))
	if args = flags.Args(); neg || len(args) == 0 || *n < 1 {
		ts.Fatalf("usage: heard [-count=N] EVENT [FIELD=VALUE]...")
	}
	if theServer(ts).reports.wait(args[0], *n, fieldsAre(args[1:])) == nil {
		ts.Fatalf("not heard: %q", args)
	}
}

func cmdLogged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] logged REGEXP")
	}
	re, err := regexp.Compile(`(?m)` + args[0])
	ts.Check(err)
	s := theServer(ts)
	if !neg {
		if s.stderr.wait(re, s.done) == nil {
			ts.Fatalf("not in the server's standard error: %s", re)
		}
		return
	}
	select {
	case <-s.done:
	default:
		ts.Fatalf("! logged wants an ended server")
	}
	if m := re.FindString(s.stderr.text()); m != "" {
		ts.Fatalf("in the server's standard error: %s", m)
	}
}

func cmdGet(ts *testscript.TestScript, neg bool, args []string) {
	req, err := http.NewRequest("GET", "", nil)
	ts.Check(err)
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	flags := flag.NewFlagSet("get", flag.ContinueOnError)
	line := flags.Bool("line", false, "")
	flags.BoolVar(&transport.ForceAttemptHTTP2, "http2", false, "")
	flags.StringVar(&req.Method, "method", "GET", "")
	flags.Func("header", "", func(s string) error {
		name, value, _ := strings.Cut(s, ":")
		req.Header.Add(name, strings.TrimSpace(value))
		return nil
	})
	flags.Func("body", "", func(s string) error {
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(s)), int64(len(s))
		return nil
	})
	flags.Func("sslca", "", func(s string) error {
		pool, err := listen.ReadAuthorities(ts.MkAbs(s))
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
		return err
	})
	ts.Check(flags.Parse(args))
	if neg || flags.NArg() != 1 {
		ts.Fatalf("usage: get [-method METHOD] [-header 'Name: value']... [-body BODY] [-line] [-sslca FILE] [-http2] URL")
	}
	url, err := req.URL.Parse(flags.Arg(0))
	ts.Check(err)
	req.URL, req.Host = url, req.Header.Get("Host")
	resp, err := transport.RoundTrip(req) // no redirect is followed
	ts.Check(err)
	ts.Defer(func() { resp.Body.Close() })
	if transport.ForceAttemptHTTP2 != (resp.ProtoMajor == 2) {
		ts.Fatalf("the answer is in %s", resp.Proto)
	}

	w := ts.Stdout()
	fmt.Fprintln(w, resp.StatusCode)
	var lines []string
	for name, values := range resp.Header {
		for _, value := range values {
			lines = append(lines, name+": "+value)
		}
	}
	slices.Sort(lines)
	fmt.Fprintf(w, "%s\n\n", strings.Join(lines, "\n"))
	switch {
	case *line:
		first, err := bufio.NewReader(resp.Body).ReadString('\n')
		ts.Check(err)
		fmt.Fprint(w, first)
	case resp.StatusCode != http.StatusSwitchingProtocols:
		_, err = io.Copy(w, resp.Body)
		ts.Check(err)
		resp.Body.Close()
	}
}
