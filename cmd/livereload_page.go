package cmd

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/wsbridge/wsbridge/bridge/urlfile"
)

// maxReloadPage is how long a page may be that gets the script: it is held in memory.
const maxReloadPage = 8 << 20

// servePage sends a page with the script that loads it again, if a file is a
// page and the request one for a page; it reports whether it has. Other files
// are left to f, with a header.
//
// The script stands at the end, after whatever the page ends with: there the
// parser takes it into the body (HTML, section 13.2.6.4.19), and there is no
// need to tell a </body> from one in a script or in a comment.
func (l *liveReload) servePage(w http.ResponseWriter, r *http.Request, f *fileRoute, found urlfile.Found, accepted []string) bool {
	header := w.Header()
	// Else a browser that loads a page again may take what the page is made
	// of from its cache.
	header.Set("Cache-Control", "no-cache")
	contentType := typeOf(found.Name)
	if contentType == "" {
		contentType = f.sniff(found)
	}
	if !l.injects || !strings.HasPrefix(contentType, "text/html") {
		return false
	}
	header.Add("Vary", "Sec-Fetch-Dest")
	if !forDocument(r) || !slices.Contains(accepted, identity) {
		return false
	}
	e := l.edition() // before what is read
	file, info, err := f.open(found)
	if err != nil {
		return false
	}
	defer file.Close()
	page, err := io.ReadAll(io.LimitReader(file, maxReloadPage+1))
	if err != nil || len(page) > maxReloadPage || !isOpen(page) {
		return false
	}
	page = append(page, l.element(e)...)
	modified := info.ModTime()
	if modified.Before(e.since) {
		modified = e.since
	}
	header.Set("Content-Type", contentType)
	header.Set("Etag", fmt.Sprintf(`"%x-%x-%s"`, info.ModTime().UnixNano(), info.Size(), l.version(e)))
	http.ServeContent(w, r, "", modified, bytes.NewReader(page))
	return true
}

// element is the script in a page of this edition.
func (l *liveReload) element(e edition) string {
	return fmt.Sprintf(`<script src="%s?version=%s" defer></script>`+"\n", strings.TrimPrefix(reloadScript, "/"), l.version(e))
}

// serveMissing is the last route: it says that there is no such page, by one
// that is loaded again when there is. A tool that builds may remove all files
// for a while before it makes them anew.
func (l *liveReload) serveMissing(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !forDocument(r) || !acceptsHTML(r.Header["Accept"]) {
		return false
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, "<!doctype html>\n<title>404 page not found</title>\n<p>404 page not found</p>\n"+l.element(l.edition()))
	return true
}

// isOpen reports whether a page may get the script: if it has none of its own,
// and is not written in UTF-16.
func isOpen(page []byte) bool {
	return !bytes.Contains(page, []byte(strings.TrimPrefix(reloadScript, "/"))) &&
		!bytes.HasPrefix(page, []byte("\xfe\xff")) && !bytes.HasPrefix(page, []byte("\xff\xfe"))
}
