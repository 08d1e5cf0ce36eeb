package site

import (
	"net/http/httptest"
	"testing"

	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// Ranges and conditions.
func TestFilesInPart(t *testing.T) {
	files := open(t, sitetest.Public(t)).Handler(nil)
	get := func(method, path string, header ...string) *httptest.ResponseRecorder {
		return sitetest.Ask(files, method, path, header...)
	}
	const file, page = "/list/file.txt", "/"
	modified := get("GET", file).Header().Get("Last-Modified")
	if modified == "" {
		t.Fatal("no Last-Modified")
	}
	const long, later = "Mon, 02 Jan 2006 15:04:05 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
	for _, test := range []struct {
		method, path string
		header       []string
		status       int
		body         string
		length       string
	}{
		{"GET", file, nil, 200, "file", "4"},
		{"HEAD", file, nil, 200, "", "4"},
		{"HEAD", page, nil, 200, "", "13"},
		{"GET", file, []string{"Range", "bytes=1-2"}, 206, "il", "2"},
		{"GET", file, []string{"Range", "bytes=1-"}, 206, "ile", "3"},
		{"GET", file, []string{"Range", "bytes=-1"}, 206, "e", "1"},
		{"GET", file, []string{"Range", "bytes=2-1000"}, 206, "le", "2"},
		{"GET", page, []string{"Range", "bytes=0-3"}, 206, "<h1>", "4"},
		{"HEAD", file, []string{"Range", "bytes=1-2"}, 206, "", "2"},
		{"GET", file, []string{"Range", "bytes=4-"}, 416, "", ""},
		{"GET", file, []string{"Range", "bytes=x"}, 416, "", ""},
		{"GET", file, []string{"Range", "bytes=0-3,0-3,0-3,0-3,0-3"}, 200, "file", "4"}, // more than the whole
		{"GET", file, []string{"Range", "bytes=1-2", "If-Range", modified}, 206, "il", "2"},
		{"GET", file, []string{"Range", "bytes=1-2", "If-Range", long}, 200, "file", "4"},
		{"GET", file, []string{"If-Modified-Since", modified}, 304, "", ""},
		{"GET", file, []string{"If-Modified-Since", later}, 304, "", ""},
		{"GET", file, []string{"If-Modified-Since", long}, 200, "file", "4"},
		{"GET", file, []string{"If-Modified-Since", "yesterday"}, 200, "file", "4"},
		{"HEAD", file, []string{"If-Modified-Since", modified}, 304, "", ""},
		{"GET", page, []string{"If-Modified-Since", later}, 304, "", ""},
		{"GET", file, []string{"If-Unmodified-Since", long}, 412, "", ""},
		{"GET", "/none", []string{"Range", "bytes=0-1"}, 404, "404 page not found\n", ""},
		{"GET", "/.env", []string{"If-Modified-Since", modified}, 404, "404 page not found\n", ""},
	} {
		w := get(test.method, test.path, test.header...)
		if w.Code != test.status || test.status != 416 && w.Body.String() != test.body ||
			test.length != "" && w.Header().Get("Content-Length") != test.length {
			t.Errorf("%s %s %q: %d %s %q", test.method, test.path, test.header, w.Code, w.Header(), w.Body)
		}
	}
}
