// Package console is a page to try a command by hand.
package console

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// The parts of the console. A page that has them as separate files works too,
// for example with wsbridge --staticdir=. cat in this directory, which shows a
// change without a build.
//
//go:embed *.html *.css *.js
var parts embed.FS

// Options say which messages the console gets.
type Options struct {
	Binary     bool // messages are binary
	PassStderr bool // messages say which output they come from
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
	style, script := part("console.css"), joinModules("main.js", map[string]bool{})
	messages, stderr := "text", "off"
	if o.Binary {
		messages = "binary"
	}
	if o.PassStderr {
		stderr = "on"
	}
	page = strings.NewReplacer(
		`data-messages="text"`, fmt.Sprintf(`data-messages=%q`, messages),
		`data-stderr="off"`, fmt.Sprintf(`data-stderr=%q`, stderr),
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

// part is a file of the console. Its newlines are those that a browser
// sees when it computes the hash of a script, whatever a checkout has made of them.
func part(name string) string {
	text, err := parts.ReadFile(name)
	if err != nil {
		panic(err) // a name that is not embedded
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

var (
	importLine = regexp.MustCompile(`(?m)^import .* from '\./(.*)';\n`)
	exportWord = regexp.MustCompile(`(?m)^export `)
)

// joinModules makes one script of a module and those that it imports, each
// once and before the first that uses it. They share one scope, in which each
// name may be declared once.
func joinModules(name string, joined map[string]bool) string {
	if joined[name] {
		return ""
	}
	joined[name] = true
	source := part(name)
	var script strings.Builder
	for _, m := range importLine.FindAllStringSubmatch(source, -1) {
		script.WriteString(joinModules(m[1], joined))
	}
	source = importLine.ReplaceAllString(source, "")
	script.WriteString("\n" + strings.TrimSpace(exportWord.ReplaceAllString(source, "")) + "\n")
	return script.String()
}
