// Package livereload loads pages again when the files they are made of change.
package livereload

import (
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// The script that pages load, and the stream that they listen to. Both are served
// below every directory, so that they also work behind a proxy that adds a path. They
// hide no file, because dot files are not served.
const (
	Script = "/.wsbridge/livereload.js"
	Stream = "/.wsbridge/livereload"
)

//go:embed livereload.js
var source string

const (
	// maxPages is how many pages may listen at once. Each holds a connection. A
	// page in the background does not listen.
	maxPages = 100

	// maxStyles is how many style sheets are changed without a reload.
	maxStyles = 16
)

// A Reloader tells pages that the files they are made of have changed.
type Reloader struct {
	injects bool          // pages get the script without asking for it
	beat    time.Duration // between signs of life
	log     *slog.Logger
	run     string // random, so that pages notice a restart of the server

	mu      sync.Mutex
	current edition
	pages   int
	closing chan struct{}
	closed  bool
}

// An edition is the files between two changes.
type edition struct {
	number int
	since  time.Time
	styles []string      // the style sheets that are new in it, if nothing else is
	over   chan struct{} // closed when there is another
}

// New makes a Reloader. If it injects, pages get its script without asking for it.
// Pages that listen get a sign of life every beat, which must be shorter than the
// time after which a client counts as stalled.
func New(injects bool, beat time.Duration, log *slog.Logger) *Reloader {
	return &Reloader{
		injects: injects,
		beat:    beat,
		log:     log,
		run:     rand.Text()[:8],
		current: edition{since: time.Now(), over: make(chan struct{})},
		closing: make(chan struct{}),
	}
}

// Changed begins another edition, because of these files, whose names have slashes.
func (l *Reloader) Changed(names []string) {
	pages := l.begin(names)
	l.log.Info("changed", "file", names[0], "files", len(names), "pages", pages)
}

// begin is Changed without the log, which is not written under the lock: a log that
// nobody reads would stop the pages too. It returns how many pages are told.
func (l *Reloader) begin(names []string) (pages int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := edition{number: l.current.number + 1, since: time.Now(), over: make(chan struct{})}
	if len(names) <= maxStyles && !slices.ContainsFunc(names, func(name string) bool { return path.Ext(name) != ".css" }) {
		for _, name := range names {
			next.styles = append(next.styles, (&url.URL{Path: "/" + name}).EscapedPath())
		}
	}
	close(l.current.over)
	l.current = next
	return l.pages
}

func (l *Reloader) edition() edition {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// version names an edition, for pages and in entity tags.
func (l *Reloader) version(e edition) string { return fmt.Sprintf("%s.%d", l.run, e.number) }

// Close ends all streams, and those that come later.
func (l *Reloader) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.closing)
	}
}

// Handler serves the script and the stream, and all other requests by next.
func (l *Reloader) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.serve(w, r) {
			site.Next(next).ServeHTTP(w, r)
		}
	})
}

func (l *Reloader) serve(w http.ResponseWriter, r *http.Request) bool {
	isStream := strings.HasSuffix(r.URL.Path, Stream)
	header := w.Header()
	switch {
	case !isStream && !strings.HasSuffix(r.URL.Path, Script):
		return false
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		site.Error(w, http.StatusMethodNotAllowed)
	case isStream:
		l.serveStream(w, r)
	default:
		header.Set("Content-Type", "text/javascript; charset=utf-8")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(source))
	}
	return true
}

// serveStream sends a page the present version and each new one, as
// server-sent events (HTML, section 9.2), until it goes or the server ends.
func (l *Reloader) serveStream(w http.ResponseWriter, r *http.Request) {
	// Pages of other sites cannot read the stream, but they could take all the
	// places.
	if from := r.Header.Get("Sec-Fetch-Site"); from == "cross-site" || from == "same-site" {
		site.Error(w, http.StatusForbidden)
		return
	}
	if !l.enter() {
		w.Header().Set("Retry-After", "1")
		site.Error(w, http.StatusServiceUnavailable)
		return
	}
	defer l.leave()
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would hold it back
	if r.Method == http.MethodHead {
		return
	}
	flush := http.NewResponseController(w).Flush
	// Also keeps the time limit of writes from passing, which by HTTP/2 ends
	// the stream although nothing is written.
	beat := time.NewTicker(l.beat)
	defer beat.Stop()
	told := l.edition()
	told.styles = nil // what the page has is not known
	for line := l.event(told); ; {
		if _, err := w.Write([]byte(line)); err != nil || flush() != nil {
			return
		}
		select {
		case <-told.over:
			next := l.edition()
			if next.number > told.number+1 {
				next.styles = nil // more is new than that
			}
			told, line = next, l.event(next)
		case <-beat.C:
			line = ":\n\n"
		case <-l.closing:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// event tells of an edition.
func (l *Reloader) event(e edition) string {
	data, err := json.Marshal(struct {
		Version string   `json:"version"`
		Styles  []string `json:"styles,omitempty"`
	}{l.version(e), e.styles})
	if err != nil {
		panic(err) // strings always have a JSON
	}
	return "data: " + string(data) + "\n\n"
}

// enter takes a place among the pages that listen; leave gives it back.
func (l *Reloader) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.pages >= maxPages {
		return false
	}
	l.pages++
	return true
}

func (l *Reloader) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages--
}
