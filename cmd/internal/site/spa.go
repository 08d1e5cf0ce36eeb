package site

import (
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Index serves the index.html of the directory at the paths of an application,
// whose one page finds out by itself what a path means: those that do not look
// like a file's. It belongs behind Handler, which serves the files that there are.
// What is not its own it leaves to next, as Handler does.
func (f *Files) Index(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.serveIndex(w, r) {
			Next(next).ServeHTTP(w, r)
		}
	})
}

func (f *Files) serveIndex(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !isAppPath(r.URL.Path) {
		return false
	}
	w.Header().Add("Vary", "Accept")
	w.Header().Add("Vary", "Sec-Fetch-Dest")
	if !ForDocument(r) || !AcceptsHTML(r.Header["Accept"]) {
		return false
	}
	found, err := f.look("/index.html")
	if err != nil || found.Info.IsDir() {
		return false
	}
	f.send(w, r, found)
	return true
}

// isAppPath reports whether a path may be one of an application: it has no dot
// files in it, and its last element has no extension.
func isAppPath(urlPath string) bool {
	for element := range strings.SplitSeq(urlPath, "/") {
		if strings.HasPrefix(element, ".") {
			return false
		}
	}
	return path.Ext(path.Base("/"+urlPath)) == ""
}

// ForDocument reports whether a browser wants to show what it asks for, and
// not to give it to a script, say. Other clients do not tell (Fetch Metadata
// Request Headers, section 2.1).
func ForDocument(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "iframe", "frame", "embed", "object":
		return true
	}
	return false
}

// AcceptsHTML reports whether a client takes text/html (RFC 9110, section
// 12.5.1): what is said most specifically of it counts.
func AcceptsHTML(header []string) bool {
	if len(header) == 0 {
		return true
	}
	accepts, best := false, -1
	for _, line := range header {
		for element := range strings.SplitSeq(line, ",") {
			mediaRange, params, err := mime.ParseMediaType(element)
			rank := slices.Index([]string{"*/*", "text/*", "text/html"}, mediaRange)
			if err != nil || rank <= best {
				continue
			}
			weight, err := strconv.ParseFloat(params["q"], 64)
			best, accepts = rank, err != nil || weight > 0
		}
	}
	return accepts
}
