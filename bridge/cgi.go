package bridge

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
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
	h.once.Do(h.init)
	p, err := lookProgram(root, r.URL.Path)
	if errors.Is(err, errNotExecutable) {
		h.Logger.Info("not a CGI program", "remote", r.RemoteAddr, "path", r.URL.Path, "reason", err.Error())
	}
	if err != nil {
		return false
	}
	p.dir = filepath.Dir(p.command[0]) // RFC 3875, section 7.2
	refused := h.checkOrigin(r)
	if refused == nil {
		refused = h.serveCGI(w, r, p)
	}
	if refused != nil {
		h.refuse(w, r, refused)
	}
	return true
}

// A cgi is a CGI program and its answer. ServeHTTP's goroutine passes the
// answer on; run sees to the child.
type cgi struct {
	handler *Handler
	child   *process.Process
	log     *slog.Logger
	body    []byte
	remote  string
	path    string

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
func (h *Handler) serveCGI(w http.ResponseWriter, r *http.Request, p program) *refusal {
	who, refused := h.acquire(r, 0)
	if refused != nil {
		return refused
	}
	c := &cgi{
		handler: h, remote: r.RemoteAddr, path: r.URL.Path,
		answered: make(chan struct{}), ended: make(chan struct{}), over: make(chan struct{}),
	}
	c.ctx, c.end = context.WithCancelCause(r.Context())
	defer c.end(nil)
	var watched sync.WaitGroup
	watched.Go(func() { c.watchShutdown(http.NewResponseController(w)) })
	defer watched.Wait()
	defer close(c.over)

	if c.body, refused = h.readBody(w, r); refused != nil {
		h.release(who)
		return refused
	}
	r = h.withRemoteHost(r)
	if c.ctx.Err() != nil { // over HTTP/2 a client can take back requests by the thousand
		h.release(who)
		return c.givenUp()
	}
	id := rand.Text()[:12]
	c.log = h.Logger.With("id", id)
	child, err := h.start(p, c.environ(r, id, p))
	if err != nil {
		h.release(who)
		c.log.Error("cannot start the CGI program", "command", p.command, "error", err)
		return &refusal{status: http.StatusInternalServerError, reason: notStarted(err).Reason}
	}
	c.child = child
	go c.run(who)
	err = c.passOn(w)
	if c.ctx.Err() == nil && err != nil && c.status == 0 {
		c.log.Error("malformed CGI answer", "path", c.path, "error", err)
		return &refusal{status: http.StatusInternalServerError, reason: "the program gave no valid answer"}
	}
	return c.givenUp()
}

// givenUp is what a client gets that is not given a whole answer, and nothing
// if it has one or is gone.
func (c *cgi) givenUp() *refusal {
	if !errors.Is(context.Cause(c.ctx), errShutdown) {
		return nil
	}
	if c.status != 0 {
		panic(http.ErrAbortHandler) // else the client takes what there is for the whole
	}
	return shuttingDown()
}

// readBody reads the body of a request, which is whole or an error.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	limit := int64(h.maxMessageSize())
	tooLarge := &refusal{
		status: http.StatusRequestEntityTooLarge,
		reason: "request body over " + strconv.FormatInt(limit, 10) + " bytes",
		remedy: " (--maxframesize allows more)",
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
	case h.draining.Err() != nil:
		return nil, shuttingDown()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &refusal{status: http.StatusRequestTimeout, reason: "request body too slow"}
	default:
		return nil, &refusal{status: http.StatusBadRequest, reason: "request body cut off"}
	}
}

// passOn passes the answer on, and leaves what is not wanted of it.
func (c *cgi) passOn(w http.ResponseWriter) error {
	defer close(c.answered)
	defer c.child.Stdout.Abandon()
	return c.answer(w, c.child.Stdout)
}

// environ is the program's environment.
func (c *cgi) environ(r *http.Request, id string, p program) []string {
	vars := append(p.vars, variable{"SCRIPT_FILENAME", p.command[0]})
	if len(c.body) > 0 || r.ContentLength != 0 || r.Header.Get("Content-Length") != "" {
		vars = append(vars, variable{"CONTENT_LENGTH", strconv.Itoa(len(c.body))})
	}
	if contentType := r.Header.Get("Content-Type"); contentType != "" {
		vars = append(vars, variable{"CONTENT_TYPE", contentType})
	}
	// Empty is the same as unset (RFC 3875, section 4.1), but not to programs
	// that read a number.
	return slices.DeleteFunc(c.handler.environ(r, id, vars...), func(v string) bool { return v == "CONTENT_LENGTH=" })
}

// run sees to the child: it feeds it, logs what it says, and ends it.
func (c *cgi) run(who netip.Prefix) {
	defer c.handler.release(who)
	begin := time.Now()
	c.wg.Go(c.feed)
	c.wg.Go(func() { logLines(c.log, c.child.Stderr) })
	_ = c.child.Wait(c.ctx)
	state := c.child.End(c.handler.killed)
	close(c.ended)
	<-c.answered
	c.wg.Wait()
	c.child.Close()
	c.log.Log(context.Background(), LevelAccess, "cgi", "remote", c.remote, "path", c.path, "pid", c.child.Pid(),
		"child", state.String(), "status", c.status, "bytes_in", len(c.body), "bytes_out", c.bytes,
		"duration", time.Since(begin).Round(time.Millisecond))
}

// feed writes the body of the request to the child, which need not read it.
func (c *cgi) feed() {
	_, _ = c.child.Stdin.Write(c.body)
	c.child.Stdin.Close()
}

// watchShutdown ends the request when the server drains: some time later, or
// at once when that is told to be quick. A client that is slow to send or to
// take does not hold it up.
func (c *cgi) watchShutdown(rc *http.ResponseController) {
	select {
	case <-c.over:
		return
	case <-c.handler.draining.Done():
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
	if c.goesOn(lingerLimit) { // with what is left of the output
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
	case <-c.handler.killed.Done():
	case <-t.C:
	}
	return true
}
