package bridge

import (
	"testing"
	"time"
)

// What the tests of a session's end need to know of a Handler, in one place.

// A report is what a Handler says of a session that is over.
type report struct {
	code                  int
	reason                string
	messagesOut, bytesOut int64
}

// reports returns the reports of the sessions of a Handler that has not served
// yet.
func reports(h *Handler) <-chan report {
	r := make(chan report, 100)
	h.Events = func(e Event) {
		if e, ok := e.(Closed); ok {
			r <- report{e.Ending.Code, e.Ending.Reason, e.Out.Messages, e.Out.Bytes}
		}
	}
	return r
}

// soon returns the report that must come now, however slow the machine is.
func soon(t testing.TB, reports <-chan report) report {
	t.Helper()
	return within(t, reports, testLimit)
}

// within returns the report that must come within a time.
func within(t testing.TB, reports <-chan report, limit time.Duration) report {
	t.Helper()
	begin := time.Now()
	select {
	case r := <-reports:
		t.Logf("ended after %v with %d %s", time.Since(begin).Round(time.Millisecond), r.code, r.reason)
		return r
	case <-time.After(limit):
		t.Fatalf("the session still lives after %v", limit)
		panic("unreachable")
	}
}

// pinging is a Handler that pings as often as that.
func pinging(interval time.Duration) *Handler {
	return &Handler{Bounds: Bounds{PingInterval: interval}}
}

// ponging is a frame as a client sends it.
func ponging(payload []byte) []byte { return appendFrame(nil, finBit|opPong, payload, true) }
