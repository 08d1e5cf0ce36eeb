package site

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines keeps the last deadline for reads.
type deadlines struct {
	*httptest.ResponseRecorder
	read time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.read = t
	return nil
}

// The time for a body begins when it is wanted, which may be long after its request
// came.
func TestTimeForABody(t *testing.T) {
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	hasDeadline := func(when string, want bool) {
		t.Helper()
		if got := !w.read.IsZero(); got != want {
			t.Errorf("%s: a deadline: %v", when, got)
		}
	}
	serve := func(body io.Reader, h http.HandlerFunc) {
		w.read = time.Time{}
		WithoutStalls(h, time.Minute, time.Minute).ServeHTTP(w, httptest.NewRequest("POST", "/", body))
	}
	serve(strings.NewReader("body"), func(_ http.ResponseWriter, r *http.Request) {
		hasDeadline("before", false)
		if _, err := io.ReadFull(r.Body, make([]byte, 2)); err != nil {
			t.Error(err)
		}
		hasDeadline("at the first read", true)
		first := w.read
		if rest, err := io.ReadAll(r.Body); string(rest) != "dy" || err != nil {
			t.Errorf("%q, %v", rest, err)
		}
		if w.read != first {
			t.Error("each read has its own deadline")
		}
	})
	serve(strings.NewReader("body"), func(w http.ResponseWriter, r *http.Request) {
		http.NotFound(w, r)
		hasDeadline("at an answer without a read", true)
	})
	serve(strings.NewReader("body"), func(http.ResponseWriter, *http.Request) {})
	hasDeadline("after a body that nobody wants", true)
	serve(nil, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	hasDeadline("without a body", false)
}
