package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEndingString(t *testing.T) {
	for want, e := range map[string]Ending{
		"1000":                            {Code: 1000},
		"4003 exit status 3":              {4003, "exit status 3"},
		"1006 connection lost":            Lost,
		"1006 no answer to pings":         PeerDead,
		"1009 message over 1048576 bytes": TooBig(1 << 20),
	} {
		if e.String() != want || e.Error() != want {
			t.Errorf("%+v is %q and %q, want %q", e, e.String(), e.Error(), want)
		}
	}
}

// What ends a WebSocket from here has a reason for a close frame, and is found
// again when it is wrapped.
func TestEndings(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
	}{
		{Lost, 1006},
		{PeerDead, 1006},
		{NotUTF8, 1007},
		{reasonNotUTF8, 1007},
		{corrupt, 1007},
		{TooBig(5), 1009},
		{violation("what"), 1002},
	} {
		got, ok := errors.AsType[Ending](fmt.Errorf("wrapped: %w", test.err))
		if !ok || got.Code != test.code {
			t.Errorf("%v: code %d, want %d", test.err, got.Code, test.code)
		}
		if got.Reason == "" || len(got.Reason) > maxReason || !utf8.ValidString(got.Reason) {
			t.Errorf("%v: no reason for a close frame", test.err)
		}
	}
}

// A close frame says what it was made of, and no more than it can hold.
func TestCloseFrame(t *testing.T) {
	for _, e := range []Ending{
		{1000, ""}, {4003, "exit status 3"}, {1005, ""}, {1007, "gr\u00fc\u00dfe"}, {4999, strings.Repeat("x", maxReason)},
	} {
		for _, masked := range []bool{false, true} {
			f, rest, err := cutFrame(closeFrame(e, masked))
			if err != nil || f.first != finBit|opClose || f.masked != masked || len(rest) > 0 || f.ending() != e {
				t.Errorf("%v became %+v, %v", e, f, err)
			}
			if got := closed(closeFrame(e, masked)); got != e {
				t.Errorf("%v is read as %v", e, got)
			}
		}
	}
	if got := closed(closeFrame(Ending{1000, strings.Repeat("x", 1000)}, true)); len(got.Reason) != maxReason {
		t.Errorf("a reason of %d bytes", len(got.Reason))
	}
}

func TestShortened(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	for _, test := range []struct{ reason, want string }{
		{"", ""},
		{"exit status 3", "exit status 3"},
		{a(122), a(122)},
		{a(123), a(123)},
		{a(124), a(123)},
		{a(1000), a(123)},
		{a(121) + "é", a(121) + "é"},
		{a(122) + "é", a(122)},
		{a(120) + "€", a(120) + "€"},
		{a(121) + "€", a(121)},
		{a(122) + "€", a(122)},
		{a(119) + "😀", a(119) + "😀"},
		{a(119) + "😀😀", a(119) + "😀"},
		{a(120) + "😀", a(120)},
		{a(121) + "😀", a(121)},
		{a(122) + "😀", a(122)},
		{strings.Repeat("€", 41), strings.Repeat("€", 41)},
		{strings.Repeat("€", 42), strings.Repeat("€", 41)},
		{strings.Repeat("😀", 31), strings.Repeat("😀", 30)},
	} {
		got := shortened(test.reason)
		if got != test.want || len(got) > maxReason || !utf8.ValidString(got) {
			t.Errorf("shortened(%q) = %q, %d bytes", test.reason, got, len(got))
		}
	}
}
