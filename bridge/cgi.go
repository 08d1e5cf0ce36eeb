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
// A page that may not open a WebSocket gets 403. The body of the request is
// read before the program starts, so that a slow client does not hold it up;
// one over MaxMessageSize gets 413. The program's answer is passed on as it
// comes. Without a valid header, of no more than 64 KiB, it becomes a 500. A
// Location that is a path is sent to the client like any other.
func (h *Handler) ServeCGI(w http.ResponseWriter, r *http.Request, root *os.Root) bool {
	p, err := lookProgram(root, r.URL.Path)
	if errors.Is(err, errNotExecutable) {
		h.emit(NotCGI{Info{Remote: r.RemoteAddr, Path: r.URL.Path}, err})
	}
	if err != nil {
		return false
	}
	p.dir = filepath.Dir(p.command[0]) // RFC 3875, section 7.2
	a := h.admission(r)
	a.program = p
	refused := a.pass(toCGI)
	if refused == nil {
		refused = h.serveCGI(w, a)
	}
	if refused != nil {
		refused.answer(w, a.request, h.Events)
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

// serveCGI runs a program for a request. It returns a refusal if there is no
// answer yet.
func (h *Handler) serveCGI(w http.ResponseWriter, a *admission) *Refusal {
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

	if refused := c.start(w, a); refused != nil || c.child == nil {
		c.place.free()
		return refused
	}
	go c.run()
	err := c.passOn(w)
	if c.ctx.Err() == nil && err != nil && c.status == 0 {
		h.emit(CGIMalformed{*c.info, err})
		return &Refusal{Status: http.StatusInternalServerError, Rule: RuleAnswer, Reason: "the program gave no valid answer"}
	}
	return c.givenUp()
}

// start starts the program when the request is there, unless nobody wants the
// answer any more.
func (c *cgi) start(w http.ResponseWriter, a *admission) (refused *Refusal) {
	if c.body, refused = c.handler.readBody(w, a.request); refused != nil {
		return refused
	}
	a.lookUpName()
	if c.ctx.Err() != nil { // over HTTP/2 a client can take back requests by the thousand
		return c.givenUp()
	}
	c.info.ID = rand.Text()[:12]
	child, err := a.program.start(c.environ(a), c.handler.Bounds.Grace)
	if err != nil {
		c.handler.emit(NotStarted{Info: *c.info, Command: a.program.command, CGI: true, Err: err})
		return &Refusal{Status: http.StatusInternalServerError, Rule: RuleAnswer, Reason: notStarted(err).Reason}
	}
	c.child = child
	c.info.Pid = child.Pid()
	return nil
}

// givenUp is what a client gets that is not given a whole answer, and nothing
// if it has one or is gone.
func (c *cgi) givenUp() *Refusal {
	if !errors.Is(context.Cause(c.ctx), errShutdown) {
		return nil
	}
	if c.status != 0 {
		panic(http.ErrAbortHandler) // else the client takes what there is for the whole
	}
	return shuttingDown()
}

// readBody reads the body of a request, which is whole or an error.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *Refusal) {
	limit := int64(h.Bounds.maxMessageSize())
	tooLarge := &Refusal{
		Status: http.StatusRequestEntityTooLarge,
		Rule:   RuleBodySize,
		Reason: "request body over " + strconv.FormatInt(limit, 10) + " bytes",
	}
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	switch {
	case err == nil:
		return body, nil
	case h.service().draining.Err() != nil:
		return nil, shuttingDown()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &Refusal{Status: http.StatusRequestTimeout, Rule: RuleBody, Reason: "request body too slow"}
	default:
		return nil, &Refusal{Status: http.StatusBadRequest, Rule: RuleBody, Reason: "request body cut off"}
	}
}

// passOn passes the answer on, and leaves what is not wanted of it.
func (c *cgi) passOn(w http.ResponseWriter) error {
	defer close(c.answered)
	defer c.child.Stdout.Abandon()
	return c.answer(w, c.child.Stdout)
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
	info := *c.info // the other goroutine may still tell of it
	info.In.Bytes, info.Out.Bytes = int64(len(c.body)), c.bytes
	c.handler.emit(CGIEnded{Info: info, Status: c.status, State: state, Duration: time.Since(begin)})
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
