// Package console is a page to try a command by hand.
package console

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// The parts of the console. bundle.js is main.js with the modules that it imports,
// made by go generate. The page works from the modules too, for example at the path
// /console/console.html of wsbridge --staticdir=.. cat, which shows a change without
// a build.
//
//go:generate go test -run TestBundle -update
//go:embed console.html console.css bundle.js
var parts embed.FS

// Options say which messages the console gets.
type Options struct {
	Framing    string // what a message is, as --framing says; empty: lines
	Terminal   bool   // the command has a terminal
	PassStderr bool   // messages say which output they come from
	Resume     bool   // a connection that is lost may be continued
}

// New serves the console at any path: one document, which loads nothing. It is the
// same for every request, and nothing of a request is in it. A request that is
// not for a document goes to next; nil answers it with 404.
func New(o Options, next http.Handler) http.Handler {
	page, policy := document(o)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A script or a picture that is not there should be missed, not
		// found to be the console. Only browsers say what a request is for
		// (Fetch Metadata Request Headers, section 2.1).
		dest := r.Header.Get("Sec-Fetch-Dest")
		if r.Method != http.MethodGet && r.Method != http.MethodHead || dest != "" && dest != "document" {
			site.Next(next).ServeHTTP(w, r)
			return
		}
		header := w.Header()
		header.Set("Vary", "Sec-Fetch-Dest")
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-cache")
		// Alone in its process, the page has a finer clock for the time to an answer.
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Embedder-Policy", "require-corp")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(page))
	})
}

// document is the console in one document, and the policy that lets only its own
// script and style into it, and lets it connect only to the server it came from.
func document(o Options) (page, policy string) {
	style, script := part("console.css"), part("bundle.js")
	onOff := func(on bool) string {
		if on {
			return "on"
		}
		return "off"
	}
	page = strings.NewReplacer(
		`data-framing="lines"`, fmt.Sprintf(`data-framing=%q`, cmp.Or(o.Framing, "lines")),
		`data-terminal="off"`, fmt.Sprintf(`data-terminal=%q`, onOff(o.Terminal)),
		`data-stderr="off"`, fmt.Sprintf(`data-stderr=%q`, onOff(o.PassStderr)),
		`data-resume="off"`, fmt.Sprintf(`data-resume=%q`, onOff(o.Resume)),
		`<link rel="stylesheet" href="console.css">`, "<style>"+style+"</style>",
		`<script type="module" src="main.js"></script>`, `<script type="module">`+script+"</script>",
	).Replace(part("console.html"))
	policy = fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; connect-src 'self'; img-src data:; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		hashSource(script), hashSource(style))
	return page, policy
}

// hashSource is a source of Content Security Policy Level 3, section 2.3.1.
func hashSource(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// part is a file of the console.
func part(name string) string {
	text, err := parts.ReadFile(name)
	if err != nil {
		panic(err) // a name that is not embedded
	}
	return unixLines(text)
}

// unixLines are the lines as a browser sees them when it computes the hash of a
// script, whatever a checkout has made of them.
func unixLines(text []byte) string { return strings.ReplaceAll(string(text), "\r\n", "\n") }
