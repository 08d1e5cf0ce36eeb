package cmd

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

	"github.com/wsbridge/wsbridge/cmd/internal/watch"
)

// What pages load and listen to, in whatever directory: so it works behind a
// proxy that adds a path, and no file can be meant, because dot files are not served.
const (
	reloadScript = "/.wsbridge/livereload.js"
	reloadStream = "/.wsbridge/livereload"
)

//go:embed livereload.js
var reloadSource string

const (
	// maxReloadPages is how many pages may listen at once. Each holds a
	// connection; those that nobody sees do not listen.
	maxReloadPages = 100

	// An editor or a tool that builds does several things to several files.
	reloadQuiet = 100 * time.Millisecond
	reloadMost  = 2 * time.Second

	// maxStyles is how many style sheets are changed without a reload.
	maxStyles = 16
)

// A liveReload tells pages that the files they are made of have changed.
type liveReload struct {
	injects bool // pages get the script without asking for it
	log     *slog.Logger
	run     string        // differs from that of another server at the same place
	beat    time.Duration // between signs of life, less than a client may stall

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

func newLiveReload(injects bool, log *slog.Logger) *liveReload {
	return &liveReload{
		injects: injects,
		log:     log,
		run:     rand.Text()[:8],
		beat:    stallTimeout / 2,
		current: edition{since: time.Now(), over: make(chan struct{})},
		closing: make(chan struct{}),
	}
}

// reload has the pages of a directory loaded again when its files change. It
// returns the route of what they need for that.
func (d *openDirs) reload(files *fileRoute, injects bool, log *slog.Logger) route {
	live := newLiveReload(injects, log)
	files.live, d.live = live, live
	d.stop = append(d.stop, watch.Tree(files.root.Load().Name(), reloadQuiet, reloadMost, log, func(names []string) {
		if slices.Contains(names, watch.WholeTree) {
			if err := files.reopen(); err != nil {
				log.Warn("the directory cannot be served any more", "directory", files.root.Load().Name(), "error", err)
			}
		}
		live.changed(names)
	}))
	return live.serve
}

// changed begins another edition, because of these files.
func (l *liveReload) changed(names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log.Info("changed", "file", names[0], "files", len(names), "pages", l.pages)
	next := edition{number: l.current.number + 1, since: time.Now(), over: make(chan struct{})}
	if len(names) <= maxStyles && !slices.ContainsFunc(names, func(name string) bool { return path.Ext(name) != ".css" }) {
		for _, name := range names {
			next.styles = append(next.styles, (&url.URL{Path: "/" + name}).EscapedPath())
		}
	}
	close(l.current.over)
	l.current = next
}

func (l *liveReload) edition() edition {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// version names an edition, for pages and in entity tags.
func (l *liveReload) version(e edition) string { return fmt.Sprintf("%s.%d", l.run, e.number) }

// close ends all streams, and those that come later.
func (l *liveReload) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.closing)
	}
}

// serve is a route.
func (l *liveReload) serve(w http.ResponseWriter, r *http.Request) bool {
	isStream := strings.HasSuffix(r.URL.Path, reloadStream)
	header := w.Header()
	switch {
	case !isStream && !strings.HasSuffix(r.URL.Path, reloadScript):
		return false
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		fileError(w, http.StatusMethodNotAllowed)
	case isStream:
		l.serveStream(w, r)
	default:
		header.Set("Content-Type", "text/javascript; charset=utf-8")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(reloadSource))
	}
	return true
}

// serveStream tells a page the present version and each that comes, as
// server-sent events (HTML, section 9.2), until it goes or the server ends.
func (l *liveReload) serveStream(w http.ResponseWriter, r *http.Request) {
	// The browser keeps what is told from pages of others, but these could
	// take all the places.
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		fileError(w, http.StatusForbidden)
		return
	}
	if !l.enter() {
		w.Header().Set("Retry-After", "1")
		fileError(w, http.StatusServiceUnavailable)
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
func (l *liveReload) event(e edition) string {
	data, err := json.Marshal(struct {
		Version string   `json:"version"`
		Styles  []string `json:"styles,omitempty"`
	}{l.version(e), e.styles})
	must(err)
	return "data: " + string(data) + "\n\n"
}

// enter takes a place among the pages that listen; leave gives it back.
func (l *liveReload) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.pages >= maxReloadPages {
		return false
	}
	l.pages++
	return true
}

func (l *liveReload) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages--
}
