package cmd

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"golang.org/x/term"
)

func TestShown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "",
		"plain\n":                      "plain\r\n",
		"a\tb\r\n\nlast":               "a\tb\r\n\r\nlast\r\n",
		"\x1b[1;31mred\x1b[m\n":        "\x1b[1;31mred\x1b[m\x1b[0m\r\n",
		"\x1b[2J\x1b[31\x1b]0;t\x07\n": "^[[2J^[[31^[]0;t^G\r\n",
		"a\rb\x00\x7f\x1e\x1f\n":       "a^Mb^@^?^^^_\r\n",
		"\u009b2J\xff\n":               "\ufffd2J\ufffd\r\n",
	} {
		var out bytes.Buffer
		if n, err := (&display{w: &out}).Write(shown([]byte(text))); err != nil || out.String() != want {
			t.Errorf("%q is shown as %q, want %q (%d, %v)", text, out.String(), want, n, err)
		}
	}
}

// The editor turns bracketed paste on and off while messages come: the escape sequence and
// the messages must not mix.
func TestDisplayConcurrently(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := &display{w: &out}
	line := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{strings.NewReader(""), d}, "")
	message := strings.Repeat("message ", 100) + "\n"
	const times = 500
	var wg sync.WaitGroup
	wg.Go(func() {
		for range times {
			_, _ = line.Write(shown([]byte(message)))
		}
	})
	for range times {
		line.SetBracketedPasteMode(true)
	}
	wg.Wait()
	if n := strings.Count(out.String(), "\x1b[?2004h"); n != times {
		t.Errorf("%d of %d sequences are whole", n, times)
	}
	if n := strings.Count(out.String(), strings.TrimSpace(message)); n != times {
		t.Errorf("%d of %d messages are whole", n, times)
	}
}

// Whatever comes, nothing but colours steers the terminal.
func FuzzShown(f *testing.F) {
	for _, s := range []string{"plain\n", "\x1b[1;31mred\x1b[m\n", "\x1b[2J\x1b]0;t\x07", "a\tb\r\n\rc\u009b\xff"} {
		f.Add([]byte(s))
	}
	colours := regexp.MustCompile(`\x1b\[[0-9;:]*m`)
	f.Fuzz(func(t *testing.T, text []byte) {
		var out bytes.Buffer
		if _, err := (&display{w: &out}).Write(shown(text)); err != nil {
			t.Fatal(err)
		}
		rest := strings.NewReplacer("\r\n", "", "\t", "").Replace(colours.ReplaceAllString(out.String(), ""))
		if i := strings.IndexFunc(rest, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }); i >= 0 || !utf8.ValidString(rest) {
			t.Errorf("%q is shown as %q", text, out.String())
		}
	})
}

// Ctrl-C and Ctrl-Z are connect's own, and a CR LF is one end of a line, wherever it is cut.
func TestKeys(t *testing.T) {
	t.Parallel()
	const typed = "a\x03b\r\n\nc\x1a\rd\n"
	for cut := 1; cut < len(typed); cut++ {
		var calls string
		parts := [][]byte{[]byte(typed[:cut]), []byte(typed[cut:])}
		k := &keys{
			from: readerOf(func(p []byte) (int, error) {
				n := copy(p, parts[0])
				parts = parts[1:]
				return n, nil
			}),
			interrupt: func() { calls += "C" },
			suspend:   func() { calls += "Z" },
		}
		var got []byte
		for buf := make([]byte, 64); len(parts) > 0; {
			n, err := k.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
		}
		if string(got) != "ab\r\nc\rd\n" || calls != "CZ" {
			t.Errorf("cut at %d: %q, %q", cut, got, calls)
		}
	}
}
