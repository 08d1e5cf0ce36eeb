package site

import "testing"

func TestTypeOf(t *testing.T) {
	for name, want := range map[string]string{
		"app.mjs": "text/javascript; charset=utf-8", "app.JS": "text/javascript; charset=utf-8", "lib/mod.wasm": "application/wasm", "app.webmanifest": "application/manifest+json",
		"a.woff": "font/woff", "a.woff2": "font/woff2", "a.ttf": "font/ttf", "a.otf": "font/otf", "a.svg": "image/svg+xml", "a.webp": "image/webp", "a.avif": "image/avif",
		"favicon.ico": "image/vnd.microsoft.icon", "app.js.map": "application/json", "data.json": "application/json", "page.htm": "text/html; charset=utf-8",
		"a.mp4": "video/mp4", "a.webm": "video/webm", "notes.md": "text/markdown; charset=utf-8", "a.vtt": "text/vtt; charset=utf-8",
		"README": "", "a.no-such-type": "", "a.": "",
	} {
		if got := typeOf(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
