package livereload

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// maxPage is how long a page may be that gets the script: it is held in memory.
const maxPage = 8 << 20

// Send is for site.Files. It sends a page with the script that loads it again, if
// the file is a page and the request one for a page. Other files get a header.
//
// The script comes after whatever the page ends with. There the parser takes it
// into the body (HTML, section 13.2.6.4.19), and there is no need to tell a
// </body> from one in a script or in a comment.
func (l *Reloader) Send(w http.ResponseWriter, r *http.Request, f *site.File) bool {
	header := w.Header()
	// Without it, a browser that loads a page again may take what the page is
	// made of from its cache.
	header.Set("Cache-Control", "no-cache")
	contentType := f.Type()
	if !l.injects || !strings.HasPrefix(contentType, "text/html") {
		return false
	}
	header.Add("Vary", "Sec-Fetch-Dest")
	if !site.ForDocument(r) || !f.AsItIs() {
		return false
	}
	e := l.edition() // before what is read
	file, info, err := f.Open()
	if err != nil {
		return false
	}
	defer file.Close()
	page, err := io.ReadAll(io.LimitReader(file, maxPage+1))
	if err != nil || len(page) > maxPage || !isOpen(page) {
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
func (l *Reloader) element(e edition) string {
	return fmt.Sprintf(`<script src="%s?version=%s" defer></script>`+"\n", strings.TrimPrefix(Script, "/"), l.version(e))
}

// Missing says that there is no such page, by one that is loaded again when there
// is: a build tool may remove all files for a while before it makes them anew.
func (l *Reloader) Missing(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !site.ForDocument(r) || !site.AcceptsHTML(r.Header["Accept"]) {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, "<!doctype html>\n<title>404 page not found</title>\n<p>404 page not found</p>\n"+l.element(l.edition()))
}

// isOpen reports whether a page may get the script: if it has none of its own,
// and is not written in UTF-16.
func isOpen(page []byte) bool {
	return !bytes.Contains(page, []byte(strings.TrimPrefix(Script, "/"))) &&
		!bytes.HasPrefix(page, []byte("\xfe\xff")) && !bytes.HasPrefix(page, []byte("\xff\xfe"))
}
