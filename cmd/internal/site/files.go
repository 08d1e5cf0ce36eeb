// Package site has what a server answers to plain requests: the files of a
// directory, with those that are compressed in advance, and the one page of an
// application; and what is put around other handlers: headers, and time limits for
// slow clients. All are plain handlers and know no flags.
package site

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/wsbridge/wsbridge/bridge/urlfile"
)

// Files serves the files of a directory: those that urlfile.LookURL finds, but
// only regular files, and no listings of directories.
type Files struct {
	// Send, if not nil, may send a file in another way, and reports whether it
	// has. If not, the file is sent as usual, with the headers that Send has set.
	Send func(w http.ResponseWriter, r *http.Request, f *File) bool

	// Embed lets pages of other origins have the files as scripts, images and the like.
	Embed bool

	root     atomic.Pointer[os.Root]
	programs fs.FileInfo // a directory of which nothing is served, or nil
}

// ErrBelowPrograms is why NewFiles refuses a directory.
var ErrBelowPrograms = errors.New("it is inside the directory of CGI programs, which are not served as files")

// NewFiles serves root without the files below programs, which may be nil.
func NewFiles(root, programs *os.Root) (*Files, error) {
	f := new(Files)
	f.root.Store(root)
	if programs == nil {
		return f, nil
	}
	var err error
	if f.programs, err = programs.Stat("."); err != nil {
		return nil, err
	}
	if isWithin(root.Name(), f.programs) {
		return nil, fmt.Errorf("cannot serve files of %s: %w", root.Name(), ErrBelowPrograms)
	}
	return f, nil
}

// Dir is the name of the directory.
func (f *Files) Dir() string { return f.root.Load().Name() }

// Reopen changes to the directory that is now at the name of the one that is
// served, if that is another one.
func (f *Files) Reopen() error {
	before := f.root.Load()
	was, err := before.Stat(".")
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(before.Name())
	if err != nil {
		return err
	}
	is, err := root.Stat(".")
	switch {
	case err == nil && os.SameFile(was, is):
	case err == nil && f.programs != nil:
		err = errors.New("the directory has been replaced: with CGI programs, restart wsbridge")
	case err == nil:
		f.root.Store(root) // requests may still use the one before
		return nil
	}
	root.Close()
	return err
}

// isWithin reports whether a directory is another one or lies below it.
func isWithin(dir string, other fs.FileInfo) bool {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	for err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(dir); err == nil && os.SameFile(info, other) {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return false
}

// Handler serves the files, and all requests that name none by next; nil answers
// them with 404.
func (f *Files) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.serve(w, r) {
			Next(next).ServeHTTP(w, r)
		}
	})
}

// Next is next itself, or a handler that knows no page.
func Next(next http.Handler) http.Handler {
	if next == nil {
		return http.NotFoundHandler()
	}
	return next
}

// serve serves a file, and reports whether there is one.
func (f *Files) serve(w http.ResponseWriter, r *http.Request) bool {
	found, err := f.find(r.URL)
	isDir := err == nil && found.Info.IsDir()
	if isDir {
		if found, err = f.look(path.Join("/", found.Name, "index.html")); err == nil && found.Info.IsDir() {
			err = fs.ErrNotExist
		}
	}
	switch to := redirection(r.URL.Path, isDir); {
	case errors.Is(err, fs.ErrNotExist):
		return false
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		Error(w, http.StatusMethodNotAllowed)
	case err != nil:
		Error(w, statusOf(err))
	case to != "":
		w.Header().Set("Location", (&url.URL{Path: to, RawQuery: r.URL.RawQuery}).String())
		w.WriteHeader(http.StatusMovedPermanently)
	default:
		f.send(w, r, found)
	}
	return true
}

// find finds what a URL names: a directory may have a slash at its end, and what is no
// directory may have one too, to be redirected.
func (f *Files) find(u *url.URL) (urlfile.Found, error) {
	bare := *u
	if u.Path == "" { // a CONNECT, or the whole server of an OPTIONS
		bare.Path = "/"
	}
	if rest, ok := strings.CutSuffix(u.Path, "/"); ok && rest != "" {
		raw, written := strings.CutSuffix(u.EscapedPath(), "/")
		if !written || strings.HasSuffix(rest, "/") {
			return urlfile.Found{}, fs.ErrNotExist
		}
		bare.Path, bare.RawPath = rest, raw
	}
	return f.served(urlfile.LookURL(f.root.Load(), &bare))
}

// look finds the directory or the regular file of a name that begins with a
// slash.
func (f *Files) look(name string) (urlfile.Found, error) {
	return f.served(urlfile.LookPath(f.root.Load(), name))
}

// served is what was found, or fs.ErrNotExist if it is neither a directory nor a regular
// file that may be served.
func (f *Files) served(found urlfile.Found, err error) (urlfile.Found, error) {
	if err != nil {
		return found, err
	}
	if mode := found.Info.Mode(); !mode.IsDir() && !mode.IsRegular() || found.Rest != "" || f.isProgram(found.Real) {
		return found, fs.ErrNotExist
	}
	return found, nil
}

// isProgram reports whether a file, by its name without links, is one of
// those that are not to be served.
func (f *Files) isProgram(real string) bool {
	if f.programs == nil {
		return false
	}
	for i := range real + "/" {
		if i == len(real) || real[i] == '/' {
			if info, err := f.root.Load().Lstat(real[:i]); err != nil || os.SameFile(info, f.programs) {
				return true
			}
		}
	}
	return false
}

// redirection is where a request for a file or a directory should have gone,
// relative to where it went, or empty if that was right: each page has one
// address, on which its relative links depend.
func redirection(urlPath string, isDir bool) string {
	slash := strings.HasSuffix(urlPath, "/")
	switch {
	case strings.HasSuffix(urlPath, "/index.html"):
		return "./"
	case isDir && !slash && urlPath != "":
		return path.Base(urlPath) + "/"
	case !isDir && slash:
		return "../" + path.Base(urlPath)
	}
	return ""
}
