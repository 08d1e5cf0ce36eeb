// Package client serves the WebSocket for pages that comes back by itself.
package client

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// Script is an ES module. It is served below every directory, so that it also works
// behind a proxy that adds a path. It hides no file, because dot files are not served.
const Script = "/.wsbridge/client.js"

//go:embed client.js
var source string

// etag names this version of the module.
var etag = fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(source)))

// Handler serves the module to requests that pass a check, and all requests for
// something else by next.
func Handler(checked func(http.Handler) http.Handler, next http.Handler) http.Handler {
	module := checked(http.HandlerFunc(serve))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, Script) {
			module.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		site.Error(w, http.StatusMethodNotAllowed)
		return
	}
	header.Set("Content-Type", "text/javascript; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-cache")
	header.Set("Etag", etag)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(source))
}
