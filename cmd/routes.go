package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/bridge"
)

// routeOptions say what plain requests get.
type routeOptions struct {
	staticDir  string
	cgiDir     string
	devConsole bool
}

func (o *routeOptions) flags() flagGroup {
	g := newGroup("Pages beside the socket")
	g.StringVar(&o.staticDir, "staticdir", "", "serve the files below `dir` to plain HTTP requests")
	g.StringVar(&o.cgiDir, "cgidir", "", "run the CGI programs below `dir` for plain HTTP requests; no file there is served as a file")
	must(cobra.MarkFlagDirname(g.FlagSet, "staticdir"))
	must(cobra.MarkFlagDirname(g.FlagSet, "cgidir"))
	g.BoolVar(&o.devConsole, "devconsole", false, "serve a page to try the command by hand, at each path that nothing else answers")
	return g
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
	}
	if o.devConsole {
		rs = append(rs, newConsole(consoleOptions{binary: h.Framing == bridge.Chunks, passStderr: h.PassStderr}))
	}
	if len(rs) > 0 {
		h.Plain = rs
	}
	return nil
}

// openDirs are the directories that a server looks into.
type openDirs []*os.Root

func (d *openDirs) open(purpose, dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("cannot %s %s: %w", purpose, dir, err)
	}
	*d = append(*d, root)
	return root, nil
}

func (d *openDirs) close() {
	for _, root := range *d {
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
