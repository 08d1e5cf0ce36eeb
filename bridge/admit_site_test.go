package bridge

import (
	"net/http/httptest"
	"testing"
)

// What pages of other sites have a browser ask for starts no CGI program, unless a user
// follows a link or --origin lets them in.
func TestCheckSite(t *testing.T) {
	any := &Gate{Origins: []Origin{anyPage}}
	for _, test := range []struct {
		gate                     *Gate
		method, host             string
		site, mode, dest, origin string
		refused                  bool
	}{
		{new(Gate), "GET", "h.example", "", "", "", "", false}, // not a browser, or an old one
		{new(Gate), "GET", "h.example", "none", "navigate", "document", "", false},
		{new(Gate), "GET", "h.example", "same-origin", "no-cors", "image", "", false},
		{new(Gate), "GET", "h.example", "cross-site", "no-cors", "image", "", true},
		{new(Gate), "GET", "h.example", "cross-site", "no-cors", "script", "", true},
		{new(Gate), "GET", "h.example", "cross-site", "navigate", "iframe", "", true},
		{new(Gate), "GET", "h.example", "cross-site", "navigate", "document", "", false}, // a link, or a form that GETs
		{new(Gate), "HEAD", "h.example", "cross-site", "navigate", "document", "", false},
		{new(Gate), "POST", "h.example", "cross-site", "navigate", "document", "", true},
		{new(Gate), "GET", "h.example", "same-site", "no-cors", "image", "", true},
		{new(Gate), "GET", "localhost:8080", "same-site", "no-cors", "image", "", false},
		{new(Gate), "GET", "127.0.0.1:8080", "same-site", "no-cors", "image", "", false},
		{new(Gate), "GET", "localhost:8080", "cross-site", "no-cors", "image", "", true},
		{new(Gate), "POST", "h.example", "cross-site", "cors", "empty", "https://other.example", false}, // checkOrigin has decided
		{any, "GET", "h.example", "cross-site", "no-cors", "image", "", false},
	} {
		r := httptest.NewRequest(test.method, "http://"+test.host+"/", nil)
		for name, value := range map[string]string{
			"Sec-Fetch-Site": test.site, "Sec-Fetch-Mode": test.mode, "Sec-Fetch-Dest": test.dest, "Origin": test.origin,
		} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if refused := test.gate.checkSite(r); (refused != nil) != test.refused {
			t.Errorf("%+v: %v", test, refused)
		}
	}
}
