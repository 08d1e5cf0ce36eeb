// Package site has what a server answers to plain requests: the files of a
// directory, with those that are compressed in advance, and the one page of an
// application; and what is put around other handlers, headers and an end to
// stalls. All are plain handlers and know no flags.
package site

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/wsbridge/wsbridge/bridge/urlfile"
)

// Files serves the files of a directory: those that urlfile.LookPath finds, but
// only regular files, and no listings of directories.
type Files struct {
	// Send, if not nil, may send a file in another way, and reports whether it
	// has. If not, the file is sent as usual, with the headers that Send has set.
	Send func(w http.ResponseWriter, r *http.Request, f *File) bool

	root     atomic.Pointer[os.Root]
	programs fs.FileInfo // a directory of which nothing is served, or nil
}

// ErrBelowPrograms is why NewFiles refuses a directory.
var ErrBelowPrograms = errors.New("it lies in the directory of the CGI programs, of which none is served")

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
		err = errors.New("it is another one now; with CGI programs that takes a new start")
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
	name := path.Clean("/" + r.URL.Path)
	found, err := f.look(name)
	isDir := err == nil && found.Info.IsDir()
	if isDir {
		if found, err = f.look(path.Join(name, "index.html")); err == nil && found.Info.IsDir() {
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

// look finds the directory or the regular file of a name that begins with a
// slash.
func (f *Files) look(name string) (urlfile.Found, error) {
	found, err := urlfile.LookPath(f.root.Load(), name)
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

// send sends a file, or what somebody has compressed of it in advance.
func (f *Files) send(w http.ResponseWriter, r *http.Request, found urlfile.Found) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	offers := f.offers(found)
	accepted := acceptedCodings(r.Header["Accept-Encoding"])
	if len(offers) > 1 || !slices.Contains(accepted, identity) {
		header.Add("Vary", "Accept-Encoding")
	}
	if f.Send != nil && f.Send(w, r, &File{f, found, accepted}) {
		return
	}
	for _, coding := range accepted {
		offer, ok := offers[coding]
		if !ok {
			continue
		}
		file, info, err := f.open(offer)
		if err != nil && coding == identity {
			Error(w, statusOf(err))
			return
		}
		if err != nil {
			continue
		}
		defer file.Close()
		contentType := typeOf(found.Name)
		etag := fmt.Sprintf("%x-%x", info.ModTime().UnixNano(), info.Size())
		if coding != identity {
			etag += "-" + coding
			header.Set("Content-Encoding", coding)
			if contentType == "" {
				contentType = f.sniff(found)
			}
			if r.Header.Get("If-Match")+r.Header.Get("If-Unmodified-Since") == "" {
				// ServeContent leaves it out, but also where it belongs to
				// nothing: in the answer to a condition that does not hold.
				header.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
			}
		}
		header.Set("Etag", `"`+etag+`"`)
		if contentType != "" {
			header.Set("Content-Type", contentType)
		}
		http.ServeContent(w, r, "", info.ModTime(), file)
		return
	}
	Error(w, http.StatusNotAcceptable)
}

// offers are the forms of a file that there are, by their content coding. One
// that is older than the file is not of that file.
func (f *Files) offers(found urlfile.Found) map[string]urlfile.Found {
	offers := map[string]urlfile.Found{identity: found}
	for _, c := range codings {
		coded, err := f.look("/" + found.Name + c.suffix)
		if err == nil && !coded.Info.IsDir() && !coded.Info.ModTime().Before(found.Info.ModTime()) {
			offers[c.name] = coded
		}
	}
	return offers
}

// open opens the file that was found, or one that has taken its place and may
// be served like it.
func (f *Files) open(found urlfile.Found) (*os.File, fs.FileInfo, error) {
	for range 10 { // each time it is replaced meanwhile
		// What has taken its place may be a FIFO, and without the flag this
		// would wait until somebody writes to it.
		file, err := f.root.Load().OpenFile(filepath.FromSlash(found.Real), os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return nil, nil, err
		}
		info, err := file.Stat()
		if err == nil && os.SameFile(info, found.Info) && info.Mode().IsRegular() { // the number of a file that is gone is given again
			return file, info, nil
		}
		file.Close()
		if found, err = f.look("/" + found.Name); err != nil {
			return nil, nil, err
		}
		if found.Info.IsDir() {
			break
		}
	}
	return nil, nil, fs.ErrNotExist
}

// sniff guesses the type of a file from how it begins.
func (f *Files) sniff(found urlfile.Found) string {
	file, _, err := f.open(found)
	if err != nil {
		return "application/octet-stream"
	}
	defer file.Close()
	begin := make([]byte, 512) // as much as is looked at
	n, _ := io.ReadFull(file, begin)
	return http.DetectContentType(begin[:n])
}

// A File is one that was found and is about to be sent.
type File struct {
	files    *Files
	found    urlfile.Found
	accepted []string
}

// Type is its media type, by its name or else by how it begins.
func (f *File) Type() string {
	if known := typeOf(f.found.Name); known != "" {
		return known
	}
	return f.files.sniff(f.found)
}

// AsItIs reports whether the client takes it as it is, uncompressed.
func (f *File) AsItIs() bool { return slices.Contains(f.accepted, identity) }

// Open opens it.
func (f *File) Open() (*os.File, fs.FileInfo, error) { return f.files.open(f.found) }

func statusOf(err error) int {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.Is(err, fs.ErrPermission):
		return http.StatusForbidden
	default:
		return http.StatusInternalServerError
	}
}

// Error answers with a status and its text.
func Error(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }
