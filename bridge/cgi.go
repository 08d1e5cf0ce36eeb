package bridge

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/process"
)

// ServeCGI answers a request by the CGI program (RFC 3875) that its path names
// below root, in the way of CommandDir. It reports whether there is one; when
// there is none, it has done nothing. It is for Plain, whose requests have
// passed the checks of Host and TrustedProxies.
//
// The program is one of the Handler's children: it counts against MaxForks and
// MaxPerAddress, and of the server's environment it has what Env gives. It
// runs in its own directory. When its answer is over, when the client goes, or
// 2 s after Shutdown, it is ended with all that it has started, as a session's
// child is.
//
// A page that may not open a WebSocket gets 403, also where a browser tells of a page of
// another site by Sec-Fetch-Site alone (an image, a frame, a script). A link to the program
// is followed, and so is a form that GETs in a window of its own, which looks the same. The
// body of the request is read before the program starts, so that a slow client does not hold it up;
// one over MaxMessageSize gets 413. The program's answer is passed on as it
// comes. Without a valid header, of no more than 64 KiB, it becomes a 500. A
// Location that is a path is sent to the client like any other.
func (h *Handler) ServeCGI(w http.ResponseWriter, r *http.Request, root *os.Root) bool {
	p, err := lookProgram(root, r.URL)
	if errors.Is(err, errNotExecutable) || errors.Is(err, errNoExecMount) {
		h.emit(NotCGI{Info{Remote: r.RemoteAddr, Path: r.URL.Path}, err})
	}
	if err != nil {
		return false
	}
	p.dir = filepath.Dir(p.command[0]) // RFC 3875, section 7.2
	a := h.admission(r)
	a.program = p
	if refused := a.pass(toCGI); refused != nil {
		a.refuse(w, refused)
	} else {
		h.serveCGI(w, a)
	}
	return true
}

// A cgi is a CGI program and its answer. ServeHTTP's goroutine passes the
// answer on; run sees to the child.
type cgi struct {
	handler *Handler
	child   *process.Process
	place   *place
	info    *Info
	body    []byte

	// ctx ends when the answer is over, the client is gone or the server drains.
	ctx context.Context
	end context.CancelCauseFunc

	wg       sync.WaitGroup // feed, stderr
	answered chan struct{}  // closed when nobody reads the child's output any more
	ended    chan struct{}  // closed when the child has ended
	over     chan struct{}  // closed when ServeHTTP's goroutine needs its connection no more

	// Owned by ServeHTTP's goroutine, and by run when that has answered.
	status int
	bytes  int64
}

// serveCGI runs a program for a request.
func (h *Handler) serveCGI(w http.ResponseWriter, a *admission) {
	c := &cgi{
		handler: h, place: a.place, info: a.info(),
		answered: make(chan struct{}), ended: make(chan struct{}), over: make(chan struct{}),
	}
	c.ctx, c.end = context.WithCancelCause(a.request.Context())
	defer c.end(nil)
	var watched sync.WaitGroup
	watched.Go(func() { c.watchShutdown(http.NewResponseController(w)) })
	defer watched.Wait()
	defer close(c.over)

	if !c.start(w, a) {
		c.place.free()
		return
	}
	go c.run()
	switch malformed := c.passOn(w); {
	case malformed:
		http.Error(w, "the program gave no valid answer", http.StatusInternalServerError)
	case !c.drained(): // the client has its answer, or is gone
	case c.status != 0:
		panic(http.ErrAbortHandler) // else the client takes what there is for the whole
	default:
		http.Error(w, shuttingDown.Reason, shuttingDown.Status)
	}
}

// drained reports whether the answer was given up because the server drains.
func (c *cgi) drained() bool { return errors.Is(context.Cause(c.ctx), errShutdown) }

// start starts the program when the request is there, unless nobody wants the
// answer any more. It reports whether the program runs; if it does not, there
// is nothing more to answer.
func (c *cgi) start(w http.ResponseWriter, a *admission) bool {
	var refused *Refusal
	if c.body, refused = c.handler.readBody(w, a.request); refused == nil {
		a.lookUpName()
		if c.drained() {
			refused = shuttingDown
		}
	}
	if refused != nil {
		a.refuse(w, refused)
		return false
	}
	if c.ctx.Err() != nil { // over HTTP/2 a client can take back requests by the thousand
		return false
	}
	c.info.ID = rand.Text()[:12]
	child, err := a.program.start(c.environ(a), nil, c.handler.Bounds.Grace)
	if err != nil {
		c.handler.emit(NotStarted{Info: *c.info, Command: a.program.command, CGI: true, Err: err})
		http.Error(w, notStarted(err).Reason, http.StatusInternalServerError)
		return false
	}
	c.child = child
	c.info.Pid = child.Pid()
	return true
}

var (
	bodyTooSlow = &Refusal{Status: http.StatusRequestTimeout, Rule: RuleBody, Reason: "request body too slow"}
	bodyCutOff  = &Refusal{Status: http.StatusBadRequest, Rule: RuleBody, Reason: "request body cut off"}
)

func bodyTooLarge(limit int64) *Refusal {
	return &Refusal{
		Status: http.StatusRequestEntityTooLarge,
		Rule:   RuleBodySize,
		Reason: "request body over " + strconv.FormatInt(limit, 10) + " bytes",
	}
}

// readBody reads the body of a request, which is whole or an error.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *Refusal) {
	limit := int64(h.Bounds.maxMessageSize())
	if r.ContentLength > limit {
		return nil, bodyTooLarge(limit)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, bodyTooLarge(limit)
	}
	switch {
	case err == nil:
		return body, nil
	case h.service().draining.Err() != nil:
		return nil, shuttingDown
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, bodyTooSlow
	default:
		return nil, bodyCutOff
	}
}

// passOn passes the answer on, and leaves what is not wanted of it. It reports
// whether there is none because what the program prints is no valid one.
func (c *cgi) passOn(w http.ResponseWriter) (malformed bool) {
	defer close(c.answered)
	defer c.child.Stdout.Abandon()
	err := c.answer(w, c.child.Stdout)
	if err == nil || c.status != 0 || c.ctx.Err() != nil {
		return false
	}
	c.handler.emit(CGIMalformed{*c.info, err})
	return true
}

// environ is the program's environment.
func (c *cgi) environ(a *admission) []string {
	r := a.request
	vars := []variable{{"SCRIPT_FILENAME", a.program.command[0]}}
	if len(c.body) > 0 || r.ContentLength != 0 || r.Header.Get("Content-Length") != "" {
		vars = append(vars, variable{"CONTENT_LENGTH", strconv.Itoa(len(c.body))})
	}
	if contentType := r.Header.Get("Content-Type"); contentType != "" {
		vars = append(vars, variable{"CONTENT_TYPE", contentType})
	}
	// Empty is the same as unset (RFC 3875, section 4.1), but not to programs
	// that read a number.
	return slices.DeleteFunc(a.environ(c.info.ID, vars...), func(v string) bool { return v == "CONTENT_LENGTH=" })
}

// run sees to the child: it feeds it, tells what it says, and ends it.
func (c *cgi) run() {
	defer c.place.free()
	begin := time.Now()
	c.wg.Go(c.feed)
	c.wg.Go(func() { readLines(c.handler.stderrOf(c.info), c.child.Stderr) })
	_ = c.child.Wait(c.ctx)
	c.place.ending()
	state := c.child.End(c.handler.service().killed)
	c.place.programGone()
	close(c.ended)
	<-c.answered
	c.wg.Wait()
	c.child.Close()
	c.info.In.Bytes, c.info.Out.Bytes = int64(len(c.body)), c.bytes
	c.handler.emit(CGIEnded{Info: *c.info, Status: c.status, State: state, Duration: time.Since(begin)})
}

// feed writes the body of the request to the child, which need not read it.
func (c *cgi) feed() {
	_, _ = c.child.Stdin.Write(c.body)
	c.child.Stdin.Close()
}

// lastWords is how long a client may take to take what is left of an answer when
// the server drains.
const lastWords = time.Second

// watchShutdown ends the request when the server drains: some time later, or
// at once when that is told to be quick. A client that is slow to send or to
// take does not hold it up.
func (c *cgi) watchShutdown(rc *http.ResponseController) {
	select {
	case <-c.over:
		return
	case <-c.handler.service().draining.Done():
	}
	if !c.goesOn(drainLimit) {
		return
	}
	c.end(errShutdown)
	past := time.Unix(1, 0)
	_ = rc.SetReadDeadline(past)
	select {
	case <-c.over:
		return
	case <-c.ended:
	}
	if c.goesOn(lastWords) { // with what is left of the output
		_ = rc.SetWriteDeadline(past)
	}
}

// goesOn reports whether the request is not over after d, or sooner when the
// server is in a hurry.
func (c *cgi) goesOn(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c.over:
		return false
	case <-c.handler.service().killed.Done():
	case <-t.C:
	}
	return true
}
