package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/bridge"
)

// routeOptions say what plain requests get.
type routeOptions struct {
	staticDir  string
	spa        bool
	liveReload string
	cgiDir     string
	devConsole bool
}

func (o *routeOptions) flags() flagGroup {
	g := newGroup("Pages beside the socket")
	g.StringVar(&o.staticDir, "staticdir", "", "serve the files below `dir` to plain HTTP requests")
	g.BoolVar(&o.spa, "spa", false, "serve the index.html of --staticdir at paths without an extension that name no file there")
	g.Var(newChoice(&o.liveReload, "", reloadInjected, reloadByScript), "livereload",
		"load pages of --staticdir again when files there change, by a script that is put into them or that they load themselves, "+
			"from "+reloadScript+"; end connections with 1012 when the program changes")
	g.Lookup("livereload").NoOptDefVal = reloadInjected
	g.StringVar(&o.cgiDir, "cgidir", "", "run the CGI programs below `dir` for plain HTTP requests; no file there is served as a file")
	must(cobra.MarkFlagDirname(g.FlagSet, "staticdir"))
	must(cobra.MarkFlagDirname(g.FlagSet, "cgidir"))
	g.BoolVar(&o.devConsole, "devconsole", false, "serve a page to try the command by hand, at each path that nothing else answers")
	return g
}

// How pages get the script of --livereload.
const (
	reloadInjected = "inject"
	reloadByScript = "script"
)

func (o *routeOptions) check() error {
	if o.spa && o.staticDir == "" {
		return errors.New("--spa: needs --staticdir, whose index.html it serves")
	}
	return nil
}

// some reports whether plain requests get anything that needs no command.
func (o *routeOptions) some() bool { return o.staticDir != "" || o.cgiDir != "" }

// A route answers the plain requests that are its own, and reports whether it
// has.
type route func(w http.ResponseWriter, r *http.Request) bool

// routes answer plain requests: the first one whose own a request is.
type routes []route

func (rs routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, answers := range rs {
		if answers(w, r) {
			return
		}
	}
	http.NotFound(w, r)
}

// open gives h what plain requests get, in the order in which it is asked:
// a program is found before a file of the same name.
func (o *routeOptions) open(h *bridge.Handler, dirs *openDirs) error {
	var rs routes
	var programs *os.Root
	var err error
	if o.cgiDir != "" {
		if programs, err = dirs.open("run the CGI programs of", o.cgiDir); err != nil {
			return err
		}
		rs = append(rs, func(w http.ResponseWriter, r *http.Request) bool { return h.ServeCGI(w, r, programs) })
	}
	if o.staticDir != "" {
		root, err := dirs.open("serve files of", o.staticDir)
		if err != nil {
			return err
		}
		files, err := newFileRoute(root, programs)
		if err != nil {
			return err
		}
		rs = append(rs, files.serve)
		if o.spa {
			rs = append(rs, files.serveIndex)
		}
		if o.liveReload != "" {
			rs = slices.Insert(rs, 0, dirs.reload(files, o.liveReload == reloadInjected, logOf(h)))
		}
	}
	if o.devConsole {
		rs = append(rs, newConsole(consoleOptions{binary: h.Framing == bridge.Chunks, passStderr: h.PassStderr}))
	}
	if dirs.live != nil {
		rs = append(rs, dirs.live.serveMissing)
	}
	if len(rs) > 0 {
		h.Plain = rs
	}
	return nil
}

// openDirs are the directories that a server looks into.
type openDirs struct {
	roots []*os.Root
	live  *liveReload // nil without --livereload
	stop  []func()    // the watches of --livereload
}

// logOf is where h logs to.
func logOf(h *bridge.Handler) *slog.Logger { return cmp.Or(h.Logger, slog.New(slog.DiscardHandler)) }

func (d *openDirs) open(purpose, dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("cannot %s %s: %w", purpose, dir, err)
	}
	d.roots = append(d.roots, root)
	return root, nil
}

// drain ends what would last as long as the server.
func (d *openDirs) drain() {
	if d.live != nil {
		d.live.close()
	}
}

func (d *openDirs) close() {
	d.drain()
	for _, stop := range d.stop {
		stop()
	}
	for _, root := range d.roots {
		root.Close()
	}
}

// withoutSocket answers those who want a WebSocket where there is none.
func withoutSocket(h *bridge.Handler) http.Handler {
	refusal := h.HostChecked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Logger.Info("refused", "remote", r.RemoteAddr, "path", r.URL.Path, "status", http.StatusNotFound,
			"reason", "no WebSocket here (a command or --dir would make one)")
		http.Error(w, "no WebSocket here", http.StatusNotFound)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bridge.AsksForUpgrade(r) {
			refusal.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
