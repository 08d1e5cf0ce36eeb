package site

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/wsbridge/wsbridge/bridge/urlfile"
)

// send sends a file, or what somebody has compressed of it in advance.
func (f *Files) send(w http.ResponseWriter, r *http.Request, found urlfile.Found) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	if !f.Embed {
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
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
