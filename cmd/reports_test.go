package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/listen"
)

// reportVar names the variable that makes wsbridge, as the test binary has it, report
// to an address what its observer is told.
const reportVar = "WSBRIDGE_TEST_REPORT"

// A place is where a server listens, at the first of its listeners.
type place struct {
	Address   string
	URL, Page string
	Redirect  string // its address, or empty
}

func placeOf(tls bool, listeners, redirecting []net.Listener) place {
	ws, page := "ws", "http"
	if tls {
		ws, page = "wss", "https"
	}
	p := place{listeners[0].Addr().String(), listen.URL(ws, listeners[0]), listen.URL(page, listeners[0]), ""}
	if len(redirecting) > 0 {
		p.Redirect = redirecting[0].Addr().String()
	}
	return p
}

// A report is a line that tells one thing: an event, by the name of its type, or where
// the server listens.
type report struct {
	Kind string
	What json.RawMessage
}

const listeningKind = "Listening"

// mainOfTests is Main, which reports if a test asks for that.
func mainOfTests() int {
	to := os.Getenv(reportVar)
	if to == "" {
		return Main(os.Args[1:])
	}
	os.Unsetenv(reportVar) // its programs have nothing to tell
	std := streams{os.Stdin, os.Stdout, os.Stderr}
	nc, err := net.Dial("tcp", to)
	if err != nil {
		return std.report(err)
	}
	var mu sync.Mutex
	tell := func(kind string, what any) {
		b, err := json.Marshal(what)
		if err != nil {
			panic(err)
		}
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(nc).Encode(report{kind, b})
	}
	serve := func(ctx context.Context, o *serveOptions) error {
		o.observer = observer{
			listening: func(listeners, redirecting []net.Listener) {
				tell(listeningKind, placeOf(o.ssl, listeners, redirecting))
			},
			event: func(e bridge.Event) { tell(reflect.TypeOf(e).Name(), e) },
		}
		return runServe(ctx, o)
	}
	return std.report(execute(context.Background(), newRootCmd(std, serve, runConnect), os.Args[1:]))
}

// reports are those of a server in a process of its own.
type reports struct {
	ln net.Listener

	mu   sync.Mutex
	all  []report
	over bool          // no more will come
	more chan struct{} // closed by the next one, and at the end
}

// newReports waits for the reports of a process that is given env. Once that has ended,
// close must be called.
func newReports() (r *reports, env string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	r = &reports{ln: ln, more: make(chan struct{})}
	go r.read()
	return r, reportVar + "=" + ln.Addr().String(), nil
}

func (r *reports) close() { r.ln.Close() }

func (r *reports) read() {
	add := func(one ...report) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all, r.over = append(r.all, one...), one == nil
		close(r.more)
		r.more = make(chan struct{})
	}
	defer add()
	nc, err := r.ln.Accept()
	if err != nil {
		return
	}
	defer nc.Close()
	for lines := json.NewDecoder(nc); ; {
		var one report
		if err := lines.Decode(&one); err != nil {
			return
		}
		add(one)
	}
}

// wait waits for n reports of a kind, those that fit if fits is not nil, and returns the
// last of them; nil if there were fewer until the end of the process or for too long.
func (r *reports) wait(kind string, n int, fits func(what json.RawMessage) bool) json.RawMessage {
	tooLong := time.After(patience)
	for {
		r.mu.Lock()
		all, over, more := r.all, r.over, r.more
		r.mu.Unlock()
		had := 0
		for _, one := range all {
			if one.Kind == kind && (fits == nil || fits(one.What)) {
				if had++; had == n {
					return one.What
				}
			}
		}
		if over {
			return nil
		}
		select {
		case <-more:
		case <-tooLong:
			return nil
		}
	}
}

// count is how many reports of a kind there were.
func (r *reports) count(kind string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.all {
		if one.Kind == kind {
			n++
		}
	}
	return n
}

// listening waits until the server listens.
func (r *reports) listening() (p place, ok bool) {
	what := r.wait(listeningKind, 1, nil)
	return p, what != nil && json.Unmarshal(what, &p) == nil
}

// fieldsAre tells whether fields of a report have these values, each like Path=/ or
// Ending.Code=1000.
func fieldsAre(want []string) func(what json.RawMessage) bool {
	return func(what json.RawMessage) bool {
		for _, pair := range want {
			path, value, _ := strings.Cut(pair, "=")
			var got any
			d := json.NewDecoder(strings.NewReader(string(what)))
			d.UseNumber()
			_ = d.Decode(&got)
			for name := range strings.SplitSeq(path, ".") {
				fields, _ := got.(map[string]any)
				got = fields[name]
			}
			if fmt.Sprint(got) != value {
				return false
			}
		}
		return true
	}
}
