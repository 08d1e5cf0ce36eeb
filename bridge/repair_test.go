package bridge

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

func TestAppendValid(t *testing.T) {
	for p, want := range map[string]string{
		"":                         "",
		"plain":                    "plain",
		"é€😀\x00":                  "é€😀\x00",
		"\ufffd":                   "\ufffd",
		"a\xffb":                   "a\ufffdb",
		"\xff\xfe":                 "\ufffd\ufffd",
		"\xe2\x82":                 "\ufffd\ufffd",
		"\xe2\x82x":                "\ufffd\ufffdx",
		"\x80é":                    "\ufffdé",
		"\xc0\xaf":                 "\ufffd\ufffd",       // "/" in two bytes
		"\xed\xa0\x80":             "\ufffd\ufffd\ufffd", // a surrogate
		"\xf4\x90\x80\x80":         "\ufffd\ufffd\ufffd\ufffd",
		"caf\xe9 in ISO 8859-1: €": "caf\ufffd in ISO 8859-1: €",
	} {
		if got := appendValid([]byte("before "), []byte(p)); string(got) != "before "+want {
			t.Errorf("appendValid(%q) = %q", p, got)
		}
	}
}

// A line that is cut and repaired piece by piece is the line repaired.
func TestPiecesAreRepairedAsTheWhole(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	parts := []string{"x", "é", "€", "😀", "\x80", "\xe2\x82", "\xf0\x9f", "\xff"}
	for range 12 {
		line := bytes.Repeat([]byte("x"), maxFrame-r.IntN(8))
		for range 10 {
			line = append(line, parts[r.IntN(len(parts))]...)
		}
		line = append(line, "xxxxxxxx"...)
		end, _, last := lines.split(line, 0, false)
		if last {
			t.Fatal("a line that is too long was not cut")
		}
		pieces := appendValid(appendValid(nil, line[:end]), line[end:])
		if whole := appendValid(nil, line); !bytes.Equal(pieces, whole) {
			t.Fatalf("repaired in pieces: …%q, as a whole: …%q", pieces[maxFrame-8:], whole[maxFrame-8:])
		}
	}
}

func TestFeed(t *testing.T) {
	for _, test := range []struct {
		framing       Framing
		message, want string
	}{
		{nil, "a", "a\n"},
		{Lines{}, "", "\n"},
		{Lines{}, "a", "a\n"},
		{Lines{}, "a\n", "a\n\n"},
		{Lines{}, "a\nb", "a\nb\n"},
		{Lines{}, "a\r", "a\r\n"},
		{Tagged{}, "a", "a\n"},
		{Chunks{}, "", ""},
		{Chunks{}, "a", "a"},
		{Chunks{}, "\x00\xff\n", "\x00\xff\n"},
	} {
		if got := fed(test.framing, test.message); got != test.want {
			t.Errorf("%T: %q becomes %q, want %q", test.framing, test.message, got, test.want)
		}
	}
}

// fed is a message as a program reads it.
func fed(f Framing, message string) string {
	batch, _, _ := codecOf(f).feed([]byte("before"+message), len("before"), wire.Text)
	return strings.TrimPrefix(string(batch), "before")
}
