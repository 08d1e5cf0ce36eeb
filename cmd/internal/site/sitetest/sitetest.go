// Package sitetest helps tests of sites.
package sitetest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Public makes a directory to serve, with a secret beside it.
func Public(t testing.TB) string {
	t.Helper()
	top := t.TempDir()
	for name, text := range map[string]string{
		"secret.txt":             "secret",
		"public/index.html":      "<h1>home</h1>",
		"public/app.mjs":         "export {}",
		"public/app.js":          "1",
		"public/app.wasm":        "\x00asm",
		"public/style.css":       "p {}",
		"public/image.svg":       "<svg/>",
		"public/data.json":       "{}",
		"public/.env":            "secret",
		"public/.git/config":     "secret",
		"public/list/file.txt":   "file",
		"public/sub/index.html":  "sub",
		"public/odd/index.html/": "",
	} {
		path := filepath.Join(top, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(top, "public")
}

// Ask answers a request without a network, with these names and values in its header.
func Ask(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = "localhost"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
