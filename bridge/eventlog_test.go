package bridge

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// An eventLog keeps what a Handler tells, so that a test can wait for it.
type eventLog struct {
	t      testing.TB
	mu     sync.Mutex
	events []Event
	more   chan struct{} // closed with the next event
}

// record gives a Handler an eventLog, beside the listener that it has.
func record(t testing.TB, h *Handler) *eventLog {
	r := &eventLog{t: t, more: make(chan struct{})}
	before := h.Events
	h.Events = func(e Event) {
		if before != nil {
			before(e)
		}
		r.add(e)
	}
	return r
}

func (r *eventLog) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	close(r.more)
	r.more = make(chan struct{})
}

func (r *eventLog) all() (events []Event, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.events), r.more
}

// String is what a log would have of the events.
func (r *eventLog) String() string {
	events, _ := r.all()
	var b bytes.Buffer
	log := LogEvents(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for _, e := range events {
		log(e)
	}
	return b.String()
}

// until waits until the events so far are as a test wants them.
func (r *eventLog) until(what string, condition func([]Event) bool) {
	r.t.Helper()
	limit := time.NewTimer(testLimit)
	defer limit.Stop()
	for {
		events, more := r.all()
		if condition(events) {
			return
		}
		select {
		case <-more:
		case <-limit.C:
			r.t.Fatalf("waited in vain for %s, but had\n%s", what, r)
		}
	}
}

// A happening is an event that a test looks for.
type happening struct {
	what string
	is   func(Event) bool
}

// wait waits for an event.
func (r *eventLog) wait(want happening) {
	r.t.Helper()
	r.until(want.what, func(events []Event) bool { return slices.ContainsFunc(events, want.is) })
}

// waitFor waits for n such events.
func (r *eventLog) waitFor(n int, want happening) {
	r.t.Helper()
	r.until(fmt.Sprintf("%d times %s", n, want.what), func([]Event) bool { return r.count(want) >= n })
}

// count is how many such events there were.
func (r *eventLog) count(what happening) (n int) {
	events, _ := r.all()
	for _, e := range events {
		if what.is(e) {
			n++
		}
	}
	return n
}

func (r *eventLog) has(what happening) bool { return r.count(what) > 0 }

// an is any event of a type, or one with a property.
func an[E Event](properties ...func(E) bool) happening {
	return happening{fmt.Sprintf("%T", *new(E)), func(e Event) bool {
		typed, ok := e.(E)
		return ok && !slices.ContainsFunc(properties, func(has func(E) bool) bool { return !has(typed) })
	}}
}

// closedWith is the end of a session with a code.
func closedWith(code int) happening {
	h := an(func(e Closed) bool { return e.Ending.Code == code })
	h.what = fmt.Sprintf("the end with code %d", code)
	return h
}

// closedBecause is the end of a session with a code and a reason.
func closedBecause(c Ending) happening {
	h := an(func(e Closed) bool { return e.Ending == c })
	h.what = fmt.Sprintf("the end with %v", c)
	return h
}

// childEnded is the end of a session or of a CGI program whose child has ended
// in a way that begins so.
func childEnded(how string) happening {
	return happening{"a child's end by " + how, func(e Event) bool {
		switch e := e.(type) {
		case Closed:
			return e.State != nil && strings.HasPrefix(e.State.String(), how)
		case CGIEnded:
			return strings.HasPrefix(e.State.String(), how)
		}
		return false
	}}
}

// answered is the end of a CGI program with a status.
func answered(status int) happening {
	h := an(func(e CGIEnded) bool { return e.Status == status })
	h.what = fmt.Sprintf("the end of a CGI program with status %d", status)
	return h
}

// says is a line of standard error with something in it.
func says(text string) happening {
	h := an(func(e Stderr) bool { return strings.Contains(e.Line, text) })
	h.what = fmt.Sprintf("%q on standard error", text)
	return h
}

// refusedFor is a refusal by a rule.
func refusedFor(rule Rule) happening {
	h := an(func(e Refused) bool { return e.Refusal.Rule == rule })
	h.what = fmt.Sprintf("a refusal by rule %d", rule)
	return h
}

// complaints waits for so many bytes of standard error.
func (r *eventLog) complaints(n int) {
	r.t.Helper()
	r.until(fmt.Sprintf("%d bytes on standard error", n), func(events []Event) bool {
		sum := 0
		for _, e := range events {
			if e, ok := e.(Stderr); ok {
				sum += len(e.Line)
			}
		}
		return sum >= n
	})
}
