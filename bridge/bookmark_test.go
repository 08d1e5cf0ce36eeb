package bridge

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

const otherKey = "another" + testKey

func TestNewBookmark(t *testing.T) {
	for address, want := range map[string]string{
		"ws://h/p?a=%32&b":          "ws://h/p?a=%32&b&resume=KEY",
		"ws://h":                    "ws://h?resume=KEY",
		"ws://h/?resume=" + testKey: "ws://h/?resume=" + testKey,
		"ws://h/?resume=" + testKey + "&received=7&x":      "ws://h/?x&resume=" + testKey + "&received=7",
		"ws://h/?resume=short":                             "",
		"ws://h/?resume=":                                  "",
		"ws://h/?received=7":                               "",
		"ws://h/?resume=" + testKey + "&received=-7":       "",
		"ws://h/?" + keyed(testKey) + "&" + keyed(testKey): "",
		"ws://h:p/": "",
	} {
		b, u, err := newBookmark(address)
		if err != nil {
			if want != "" {
				t.Errorf("%s: %v", address, err)
			}
			continue
		}
		if !isKey(b.key) {
			t.Errorf("%s: the key is %q", address, b.key)
		}
		if got := b.in(u); got != strings.ReplaceAll(want, "KEY", b.key) {
			t.Errorf("%s: %s", address, got)
		}
	}
}

// What a client makes of the greetings of one connection after the other.
func TestGreetings(t *testing.T) {
	type step struct {
		greeting    greeting
		acked, lent int64
		has         int64
		err         error
		received    int64 // messages that come then
	}
	for _, test := range []struct {
		name  string
		query string
		steps []step
	}{
		{"a new session", "", []step{
			{greeting{"KEY", false, 0, 1}, 0, 0, 0, nil, 3},
			{greeting{"KEY", true, 2, 4}, 1, 5, 2, nil, 1},
			{greeting{"KEY", true, 5, 5}, 2, 5, 5, nil, 0},
		}},
		{"the first greeting was lost", "", []step{{greeting{"KEY", true, 0, 1}, 0, 0, 0, nil, 0}}},
		{"a session of others", keyed(testKey), []step{
			{greeting{testKey, true, 7, 43}, 0, 0, 0, nil, 1},
			{greeting{testKey, true, 9, 44}, 0, 2, 2, nil, 0},
		}},
		{"from a message on", received(testKey, 42), []step{{greeting{testKey, true, 7, 43}, 0, 0, 0, nil, 1}}},
		{"not from there", received(testKey, 42), []step{{greeting{testKey, true, 7, 42}, 0, 0, 0, errBadGreeting, 0}}},
		{"it has ended", "", []step{
			{greeting{"KEY", false, 0, 1}, 0, 0, 0, nil, 0},
			{greeting{"KEY", false, 0, 1}, 0, 5, 0, errNoSession, 0},
		}},
		{"a gap", "", []step{
			{greeting{"KEY", false, 0, 1}, 0, 0, 0, nil, 3},
			{greeting{"KEY", true, 0, 5}, 0, 0, 0, errBadGreeting, 0},
		}},
		{"it has forgotten", "", []step{
			{greeting{"KEY", false, 0, 1}, 0, 0, 0, nil, 0},
			{greeting{"KEY", true, 2, 1}, 3, 5, 0, errBadGreeting, 0},
		}},
		{"it has what was not sent", "", []step{
			{greeting{"KEY", false, 0, 1}, 0, 0, 0, nil, 0},
			{greeting{"KEY", true, 6, 1}, 3, 5, 0, errBadGreeting, 0},
		}},
		{"another session", "", []step{
			{greeting{"KEY", false, 0, 1}, 0, 0, 0, nil, 0},
			{greeting{otherKey, true, 0, 1}, 0, 5, 0, errBadGreeting, 0},
		}},
		{"a shared program", "", []step{
			{greeting{otherKey, false, 0, 100}, 0, 0, 0, nil, 2},
			{greeting{otherKey, true, 0, 102}, 3, 4, 3, nil, 1},
			{greeting{testKey, false, 0, 5}, 4, 4, 4, nil, 0}, // a new run
		}},
		{"a shared program, known before", received(testKey, 10), []step{
			{greeting{testKey, true, 0, 11}, 0, 0, 0, nil, 1},
			{greeting{testKey, true, 0, 12}, 2, 3, 2, nil, 0},
		}},
		{"a shared program with a gap", "", []step{
			{greeting{otherKey, false, 0, 100}, 0, 0, 0, nil, 2},
			{greeting{otherKey, true, 0, 105}, 0, 0, 0, errBadGreeting, 0},
		}},
		{"no name", "", []step{{greeting{"short", false, 0, 1}, 0, 0, 0, errBadGreeting, 0}}},
		{"no number", "", []step{{greeting{"KEY", false, 0, 0}, 0, 0, 0, errBadGreeting, 0}}},
		{"a number below 0", "", []step{{greeting{"KEY", false, -1, 1}, 0, 0, 0, errBadGreeting, 0}}},
	} {
		b, _, err := newBookmark("ws://h/?" + test.query)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range test.steps {
			if s.greeting.Session == "KEY" {
				s.greeting.Session = b.key
			}
			text, _ := json.Marshal(s.greeting)
			has, _, err := b.greeted(text, s.acked, s.lent)
			if err != s.err || err == nil && has != s.has {
				t.Errorf("%s, step %d: %d, %v, want %d, %v", test.name, i, has, err, s.has, s.err)
			}
			if err == nil {
				b.received += s.received
			}
		}
	}
}

// Who is taken over by a connection of his own that comes late is lost, and by
// another client for good.
func TestTakenOverByAGhost(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		end   Ending
		ghost time.Time
		want  bool
	}{
		{errTakenOver, time.Time{}, false},
		{errTakenOver, now, true},
		{errTakenOver, now.Add(-2 * ghostLimit), false},
		{errNoSession, now, false},
	} {
		if got := (&bookmark{ghost: test.ghost}).byGhost(wire.Ending(test.end)); got != test.want {
			t.Errorf("%v, %v: %t", test.end, test.ghost, got)
		}
	}
}

// Whatever a server greets with, a client goes on only where nothing is missing.
func FuzzGreeting(f *testing.F) {
	for _, seed := range []string{"", "{", "null", "[]", `{"session":1}`, `{"session":"` + testKey + `","resumed":true,"received":17,"next":43}`,
		`{"session":"` + testKey + `","received":1e3,"next":1}`, `{"session":"` + testKey + `","received":0,"next":9223372036854775808}`} {
		f.Add([]byte(seed), int64(3), int64(2), int64(7), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, received, acked, lent int64, begun bool) {
		if received < -1 || acked < 0 || lent < acked {
			return
		}
		b := &bookmark{key: testKey, received: received, begun: begun}
		before := *b
		has, resumed, err := b.greeted(text, acked, lent)
		switch {
		case err != nil:
			if *b != before && !b.shared {
				t.Errorf("%+v was changed to %+v", before, *b)
			}
			return
		case has < acked || has > lent || b.received < 0 || !b.begun || !isKey(b.key):
			t.Errorf("it has %d of %d to %d: %+v", has, acked, lent, b)
		case resumed && begun && b.received != received:
			t.Errorf("from %d to %d", received, b.received)
		}
		if _, err := url.Parse(b.in(&url.URL{Scheme: "ws", Host: "h"})); err != nil {
			t.Error(err)
		}
	})
}

// The waits between tries are doubled, and half of each is chance.
func TestRetryWait(t *testing.T) {
	var got []string
	for tries := range 9 {
		got = append(got, fmt.Sprintf("%v-%v", retryWait(tries, 1), retryWait(tries, 0)))
	}
	want := "0s-0s 500ms-1s 1s-2s 2s-4s 4s-8s 8s-16s 15s-30s 15s-30s 15s-30s"
	if text := strings.Join(got, " "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}
