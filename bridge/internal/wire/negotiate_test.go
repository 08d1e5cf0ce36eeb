package wire

import (
	"strings"
	"testing"
)

const (
	plainAnswer  = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
	windowAnswer = plainAnswer + "; server_max_window_bits=15"
)

func TestNegotiate(t *testing.T) {
	for _, test := range []struct {
		offers string // lines
		want   string // empty: no extension
	}{
		{"", ""},
		{"permessage-deflate", plainAnswer},
		{" \tpermessage-deflate\t ", plainAnswer},
		{"permessage-deflate; client_max_window_bits", plainAnswer}, // browsers
		{plainAnswer, plainAnswer},
		{"permessage-deflate; server_no_context_takeover", plainAnswer},
		{"permessage-deflate; client_no_context_takeover", plainAnswer},

		// The server's window.
		{"permessage-deflate; server_max_window_bits=15", windowAnswer},
		{"permessage-deflate; server_max_window_bits=15; client_max_window_bits=15", windowAnswer},
		{windowAnswer, windowAnswer},
		{"permessage-deflate; server_max_window_bits=8", ""},
		{"permessage-deflate; server_max_window_bits=14", ""},
		{"permessage-deflate; server_max_window_bits=16", ""},
		{"permessage-deflate; server_max_window_bits=7", ""},
		{"permessage-deflate; server_max_window_bits=015", ""},
		{"permessage-deflate; server_max_window_bits=+15", ""},
		{"permessage-deflate; server_max_window_bits=1.5e1", ""},
		{"permessage-deflate; server_max_window_bits", ""},
		{"permessage-deflate; server_max_window_bits=", ""},
		{"permessage-deflate; server_max_window_bits=15 15", ""},

		// The client's.
		{"permessage-deflate; client_max_window_bits=8", plainAnswer},
		{"permessage-deflate; client_max_window_bits=15", plainAnswer},
		{"permessage-deflate; client_max_window_bits=7", ""},
		{"permessage-deflate; client_max_window_bits=16", ""},
		{"permessage-deflate; client_max_window_bits=08", ""},
		{"permessage-deflate; client_max_window_bits=-8", ""},
		{"permessage-deflate; client_max_window_bits=", ""},
		{"permessage-deflate; client_max_window_bits=99999999999999999999", ""},

		// Values where none may be.
		{"permessage-deflate; client_no_context_takeover=1", ""},
		{"permessage-deflate; server_no_context_takeover=true", ""},
		{`permessage-deflate; server_no_context_takeover=""`, ""},

		// What is there twice, and what nobody knows.
		{"permessage-deflate; client_max_window_bits; client_max_window_bits", ""},
		{"permessage-deflate; client_max_window_bits=15; client_max_window_bits", ""},
		{"permessage-deflate; server_max_window_bits=15; server_max_window_bits=15", ""},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", ""},
		{plainAnswer + "; client_no_context_takeover", ""},
		{"permessage-deflate; unheard_of", ""},
		{"permessage-deflate; unheard_of=1; server_max_window_bits=15", ""},
		{"permessage-deflate; Server_Max_Window_Bits=15", ""},

		// The first that can be met.
		{"permessage-deflate; server_max_window_bits=10, permessage-deflate", plainAnswer},
		{"permessage-deflate; server_max_window_bits=10\npermessage-deflate", plainAnswer},
		{"permessage-deflate; a, permessage-deflate; server_max_window_bits=15, permessage-deflate", windowAnswer},
		{"permessage-deflate, permessage-deflate; server_max_window_bits=15", plainAnswer},
		{"permessage-deflate; client_max_window_bits=7\n" +
			"permessage-deflate; client_max_window_bits=08\n" +
			"permessage-deflate; server_max_window_bits=15", windowAnswer},
		{"permessage-bzip2, permessage-deflate", plainAnswer},
		{"permessage-bzip2; a=b; c=\"d\"; a\npermessage-deflate", plainAnswer},
		{"x-webkit-deflate-frame", ""},
		{"permessage-deflate-2", ""},
		{"permessage", ""},

		// Blanks, empty elements and quotes.
		{"permessage-deflate;client_max_window_bits;server_max_window_bits=15", windowAnswer},
		{"permessage-deflate ; server_max_window_bits = 15 , other", windowAnswer},
		{",, permessage-deflate ,,", plainAnswer},
		{",", ""},
		{"\npermessage-deflate\n", plainAnswer},
		{`permessage-deflate; server_max_window_bits="15"`, windowAnswer},
		{`permessage-deflate; server_max_window_bits="1\5"`, windowAnswer},
		{`permessage-deflate; client_max_window_bits="10"`, plainAnswer},
		{`permessage-deflate; client_max_window_bits="010"`, ""},
		{`other; a="b", permessage-deflate`, plainAnswer},

		// Malformed, wherever that is.
		{";", ""},
		{"permessage-deflate;", ""},
		{"permessage-deflate; ;", ""},
		{"permessage-deflate; =15", ""},
		{"permessage-deflate, other;", ""},
		{"permessage-deflate\nother; a=", ""},
		{"permessage-deflate, o(ther)", ""},
		{"permessage-deflate other", ""},
		{`permessage-deflate, other; a="b`, ""},
		{`permessage-deflate, other; a="b\`, ""},
		{`permessage-deflate, other; a=""`, ""},
		{`permessage-deflate, other; a="b c"`, ""},
		{`permessage-deflate, other; a="b,c"`, ""},
		{`permessage-deflate, other; a="b"c`, ""},
		{`"permessage-deflate"`, ""},
		{"permessage-deflate\x00", ""},
		{"permessage-d\u00e9flate, permessage-deflate", ""},
	} {
		answer, ok := negotiate(strings.Split(test.offers, "\n"))
		if answer != test.want || ok != (test.want != "") {
			t.Errorf("%q is answered with %q, %t, want %q", test.offers, answer, ok, test.want)
		}
	}
	if answer, ok := negotiate(nil); answer != "" || ok {
		t.Errorf("no offer is answered with %q, %t", answer, ok)
	}
}

func TestAcceptsAnswer(t *testing.T) {
	for _, test := range []struct {
		header string // lines
		want   bool
	}{
		{plainAnswer, true},
		{windowAnswer, true},
		{"permessage-deflate; server_no_context_takeover", true},
		{"permessage-deflate; server_no_context_takeover; server_max_window_bits=8", true},
		{`permessage-deflate; server_no_context_takeover; server_max_window_bits="12"`, true},
		{"permessage-deflate; server_no_context_takeover,", true},

		{"", false},
		{",", false},
		{"permessage-deflate", false},
		{"permessage-deflate; client_no_context_takeover", false},
		{"permessage-deflate; server_max_window_bits=15", false},
		{"permessage-bzip2; server_no_context_takeover", false},
		{plainAnswer + "; server_no_context_takeover", false},
		{plainAnswer + "; client_no_context_takeover", false},
		{windowAnswer + "; server_max_window_bits=15", false},
		{plainAnswer + "; server_max_window_bits", false},
		{plainAnswer + "; server_max_window_bits=7", false},
		{plainAnswer + "; server_max_window_bits=16", false},
		{plainAnswer + "; server_max_window_bits=08", false},
		{plainAnswer + "; client_max_window_bits=15", false},
		{plainAnswer + "; client_max_window_bits", false},
		{plainAnswer + "; unheard_of", false},
		{"permessage-deflate; server_no_context_takeover=1", false},
		{"permessage-deflate; server_no_context_takeover; client_no_context_takeover=0", false},
		{plainAnswer + ", other", false},
		{"other\n" + plainAnswer, false},
		{plainAnswer + ", " + plainAnswer, false},
		{plainAnswer + ";", false},
		{plainAnswer + "\n\"", false},
	} {
		if got := acceptsAnswer(strings.Split(test.header, "\n")); got != test.want {
			t.Errorf("%q: %t, want %t", test.header, got, test.want)
		}
	}
	if acceptsAnswer(nil) {
		t.Error("no answer is one")
	}
}

// Whatever is offered, there is one of two answers or none; how the offers are
// split into lines makes no difference; and an answer is one to our own offer.
func FuzzNegotiate(f *testing.F) {
	for _, seed := range []string{
		"permessage-deflate; client_max_window_bits", windowAnswer,
		",, a;b=\"c\\d\"\npermessage-deflate;",
		"permessage-deflate; server_max_window_bits=10, " +
			"permessage-deflate; server_max_window_bits=\"15\"",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, offers string) {
		answer, ok := negotiate(strings.Split(offers, "\n"))
		switch {
		case !ok && answer == "":
		case ok && answer == plainAnswer:
		case ok && answer == windowAnswer && strings.Contains(offers, "server_max_window_bits"):
		default:
			t.Fatalf("%q is answered with %q, %t", offers, answer, ok)
		}
		if ok && !acceptsAnswer([]string{answer}) {
			t.Errorf("%q is no answer", answer)
		}
		if joined, _ := negotiate([]string{strings.ReplaceAll(offers, "\n", ", ")}); joined != answer {
			t.Errorf("%q is answered with %q, in one line with %q", offers, answer, joined)
		}
		// What was parsed, written again, is parsed as the same.
		before, ok := parseExtensions(strings.Split(offers, "\n"))
		after, again := parseExtensions([]string{write(before)})
		if ok && (!again || write(after) != write(before)) {
			t.Errorf("%q became %q", write(before), write(after))
		}
	})
}

// write makes a header line of extensions.
func write(extensions []extension) string {
	var elements []string
	for _, e := range extensions {
		element := e.name
		for _, p := range e.params {
			element += ";" + p.name
			if p.valued {
				element += "=" + p.value
			}
		}
		elements = append(elements, element)
	}
	return strings.Join(elements, ",")
}
