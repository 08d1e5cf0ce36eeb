package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"runtime"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// routeOptions say what plain requests get.
type routeOptions struct {
	staticDir  string
	devConsole bool
}

func (o *routeOptions) flags() flagGroup {
	g := newGroup("Pages beside the socket")
	g.StringVar(&o.staticDir, "staticdir", "", "serve the files below `dir` to plain HTTP requests")
	must(cobra.MarkFlagDirname(g.FlagSet, "staticdir"))
	g.BoolVar(&o.devConsole, "devconsole", false, "serve a page to try the command by hand, at each path that nothing else answers")
	return g
}

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

// mimeTypes are those that a browser insists on, whatever the tables of the
// machine say.
var mimeTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".mjs":  "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".wasm": "application/wasm",
}

// newFiles serves the files below dir, which stays open until close is called.
func newFiles(dir string) (files route, close func() error, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, nil, fmt.Errorf("cannot serve files of %s: %w", dir, err)
	}
	for ext, typ := range mimeTypes {
		if err := mime.AddExtensionType(ext, typ); err != nil {
			panic(err)
		}
	}
	site := siteFS{root.FS()}
	server := http.FileServerFS(site)
	return func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case !site.has(r.URL.Path):
			return false
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		default:
			server.ServeHTTP(w, r)
		}
		return true
	}, root.Close, nil
}

// A siteFS is the part of a file system that is meant for the public: no
// hidden files, no directories without an index.html (FileServer would list
// them), no devices or pipes, on which opening could block, and each file by
// its own name only.
type siteFS struct{ fs.FS }

// has reports whether there is something to serve for the path of a URL.
func (s siteFS) has(urlPath string) bool {
	file, err := s.Open(cmp.Or(strings.TrimPrefix(path.Clean("/"+urlPath), "/"), "."))
	if err == nil {
		file.Close()
	}
	return !errors.Is(err, fs.ErrNotExist)
}

func (s siteFS) Open(name string) (fs.File, error) {
	file, err := s.open(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: siteError(err)}
	}
	return file, nil
}

func (s siteFS) open(name string) (fs.File, error) {
	for element := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(element, ".") && element != "." || runtime.GOOS == "windows" && misread(element) {
			return nil, fs.ErrNotExist
		}
	}
	info, err := fs.Stat(s.FS, name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		index, err := fs.Stat(s.FS, path.Join(name, "index.html"))
		if err != nil {
			return nil, err
		}
		if !index.Mode().IsRegular() {
			return nil, fs.ErrNotExist
		}
		dir, err := s.FS.Open(name)
		if err != nil {
			return nil, err
		}
		return unlistable{dir}, nil
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	return s.FS.Open(name)
}

// misread reports whether Windows may take an element of a path for something
// else than the file of that name: for a device (nul, aux.txt), for a stream
// (a.txt::$DATA), for the file without the dots and spaces at the end, or for
// one that has this as its short name (GIT~1 is .git).
func misread(element string) bool {
	if element == "." {
		return false
	}
	if strings.ContainsAny(element, `\:*?"<>|`) || strings.TrimRight(element, ". ") != element {
		return true
	}
	device, _, _ := strings.Cut(strings.ToLower(element), ".")
	device = strings.TrimRight(device, " ")
	switch device {
	case "con", "prn", "aux", "nul", "conin$", "conout$", "clock$":
		return true
	}
	for _, port := range []string{"com", "lpt"} {
		if n, ok := strings.CutPrefix(device, port); ok && utf8.RuneCountInString(n) == 1 && strings.Contains("0123456789¹²³", n) {
			return true
		}
	}
	_, short, _ := strings.Cut(element, "~")
	return short != "" && short[0] >= '0' && short[0] <= '9'
}

// siteError makes "not found" of every error but those of a machine in
// trouble, because a path that leaves the directory, has a loop in it or is
// too long is no fault of the server's.
func siteError(err error) error {
	for _, real := range []error{fs.ErrPermission, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO} {
		if errors.Is(err, real) {
			return err
		}
	}
	return fs.ErrNotExist
}

// unlistable hides the ReadDir of a directory, for the case that its
// index.html goes away while FileServer looks at it.
type unlistable struct{ fs.File }
