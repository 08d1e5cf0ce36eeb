package bridge

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A reader that cuts lines off what it reads, as the session's output does.
type lineReader struct {
	data     []byte
	searched int
	piece    []byte   // of a line that is not over
	cut      bool     // piece is there, be it empty
	lines    []string // that are over
	cuts     []int    // the sizes of the pieces that were not their line's last
}

func (l *lineReader) read(t testing.TB, p []byte, atEOF bool) {
	l.data = append(l.data, p...)
	for len(l.data) > 0 {
		end, next, last := lines.split(l.data, l.searched, atEOF)
		if next == 0 {
			if atEOF {
				t.Fatalf("%d bytes are left at the end", len(l.data))
			}
			if end != 0 || last {
				t.Fatalf("splitLine waits for more and returns end %d, last %t", end, last)
			}
			break
		}
		if end > maxFrame {
			t.Fatalf("a frame of %d bytes, the longest is %d", end, maxFrame)
		}
		if end > next || next > len(l.data) || !last && (end != next || end <= maxFrame-utf8.UTFMax) {
			t.Fatalf("lines.split(%d bytes, %d, %t) = %d, %d, %t", len(l.data), l.searched, atEOF, end, next, last)
		}
		l.piece, l.cut = append(l.piece, l.data[:end]...), true
		if last {
			l.lines, l.piece, l.cut = append(l.lines, string(l.piece)), nil, false
		} else {
			l.cuts = append(l.cuts, end)
		}
		l.data, l.searched = l.data[next:], 0
	}
	l.searched = len(l.data)
	if atEOF && l.cut {
		l.lines = append(l.lines, string(l.piece))
	}
}

// linesOf splits a whole output the simple way.
func linesOf(output string) []string {
	var lines []string
	for line := range strings.SplitAfterSeq(output, "\n") {
		if body, ok := strings.CutSuffix(line, "\n"); ok {
			lines = append(lines, strings.TrimSuffix(body, "\r"))
		} else if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestSplitLine(t *testing.T) {
	for _, test := range []struct {
		name, output string
		lines        []string
	}{
		{"nothing", "", nil},
		{"a line", "a\n", []string{"a"}},
		{"an empty line", "\n", []string{""}},
		{"empty lines between", "a\n\n\nb\n", []string{"a", "", "", "b"}},
		{"CRLF", "a\r\nb\r\n", []string{"a", "b"}},
		{"an empty line of CRLF", "\r\n\r\n", []string{"", ""}},
		{"only the last CR is the end's", "a\r\r\n", []string{"a\r"}},
		{"a CR within a line", "10%\r20%\r30%\n", []string{"10%\r20%\r30%"}},
		{"a CR after the newline", "a\n\rb\n", []string{"a", "\rb"}},
		{"a last line without an end", "a\nb", []string{"a", "b"}},
		{"a last CR without a newline", "a\r", []string{"a\r"}},
		{"a CR alone", "\r", []string{"\r"}},
		{"NUL and other bytes", "\x00\x01\xff\n", []string{"\x00\x01\xff"}},
	} {
		for size := 1; size <= max(len(test.output), 1); size++ {
			var l lineReader
			for p := range slices.Chunk([]byte(test.output), size) {
				l.read(t, p, false)
			}
			l.read(t, nil, true)
			if !slices.Equal(l.lines, test.lines) {
				t.Errorf("%s, %d bytes a read: %q, want %q", test.name, size, l.lines, test.lines)
			}
		}
	}
}

// What stands at the edge of the longest frame.
func TestSplitLongLine(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		name, output string
		cuts         []int // sizes of all pieces but the last of a line
	}{
		{"as long as a frame", x(maxFrame) + "\n", nil},
		{"as long as a frame, CRLF", x(maxFrame) + "\r\n", nil},
		{"as long as a frame, no end", x(maxFrame), nil},
		{"shorter by one, CRLF", x(maxFrame-1) + "\r\n", nil},
		{"shorter by one, CR and no end", x(maxFrame-1) + "\r", nil},
		{"longer by one", x(maxFrame+1) + "\n", []int{maxFrame}},
		{"longer by one, CRLF", x(maxFrame+1) + "\r\n", []int{maxFrame}},
		{"longer by one, no end", x(maxFrame + 1), []int{maxFrame}},
		{"longer by one, CR and no end", x(maxFrame) + "\r", []int{maxFrame}},
		{"longer by two, no end", x(maxFrame + 2), []int{maxFrame}},
		{"a CR that is the last byte of the frame", x(maxFrame-1) + "\rx\n", []int{maxFrame}},
		{"a CR that follows the frame", x(maxFrame) + "\rx\n", []int{maxFrame}},
		{"two CR at the edge, CRLF", x(maxFrame-1) + "\r\r\n", nil},
		{"twice as long", x(2*maxFrame) + "\n", []int{maxFrame}},
		{"twice as long and one", x(2*maxFrame+1) + "\r\n", []int{maxFrame, maxFrame}},
		{"five times", x(5*maxFrame) + "\n", []int{maxFrame, maxFrame, maxFrame, maxFrame}},
		{"a rune of two over the edge", x(maxFrame-1) + "éx\n", []int{maxFrame - 1}},
		{"a rune of three over the edge", x(maxFrame-1) + "€\n", []int{maxFrame - 1}},
		{"two of its bytes before the edge", x(maxFrame-2) + "€x\n", []int{maxFrame - 2}},
		{"a rune of four over the edge", x(maxFrame-3) + "😀x\n", []int{maxFrame - 3}},
		{"a rune that ends at the edge", x(maxFrame-4) + "😀xx\n", []int{maxFrame}},
		{"the edge within a rune that is none", x(maxFrame-1) + "\xf0xx\n", []int{maxFrame - 1}},
		{"continuation bytes over the edge", x(maxFrame-3) + "\x80\x80\x80\x80\x80\n", []int{maxFrame}},
		{"a short line after it", x(maxFrame+9) + "\nshort\n" + x(maxFrame+9) + "\n", []int{maxFrame, maxFrame}},
	} {
		for _, size := range []int{64 << 10, maxFrame + 1, len(test.output)} {
			var l lineReader
			for p := range slices.Chunk([]byte(test.output), size) {
				l.read(t, p, false)
				if len(l.data) >= maxFrame+2 {
					t.Fatalf("%s: %d bytes wait for the end of their line", test.name, len(l.data))
				}
			}
			l.read(t, nil, true)
			if !slices.Equal(l.lines, linesOf(test.output)) {
				t.Errorf("%s, %d bytes a read: other lines than there are", test.name, size)
			}
			if !slices.Equal(l.cuts, test.cuts) {
				t.Errorf("%s, %d bytes a read: pieces of %d, want %d", test.name, size, l.cuts, test.cuts)
			}
		}
	}
}

// Whatever is written, in whatever pieces it is read, comes out line by line.
func TestSplitLineOfAnything(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	parts := []string{"\n", "\r\n", "\r", "x", "é", "€", "😀", "\x80", "\xe2\x82", "\xf0\x9f", "\xff", "\x00"}
	long := []string{strings.Repeat("x", maxFrame-3), strings.Repeat("€", maxFrame/3), strings.Repeat("é\x80", maxFrame/3)}
	for round := range 200 {
		var b strings.Builder
		for range r.IntN(40) {
			if round%10 == 0 && r.IntN(16) == 0 {
				b.WriteString(long[r.IntN(len(long))])
			}
			b.WriteString(parts[r.IntN(len(parts))])
		}
		output := b.String()
		var l lineReader
		for rest := []byte(output); len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 16))
			if r.IntN(3) == 0 || len(output) > 1000 {
				n = 1 + r.IntN(len(rest))
			}
			l.read(t, rest[:n], n == len(rest) && r.IntN(2) == 0) // the end may come with the last bytes or after them
			rest = rest[n:]
		}
		l.read(t, nil, true)
		if !slices.Equal(l.lines, linesOf(output)) {
			t.Fatalf("round %d, %d bytes: other lines than there are", round, len(output))
		}
	}
}

func FuzzSplitLine(f *testing.F) {
	for _, s := range []string{"", "\n", "a\r\nb", "\r", "€\n", "x\ry\r\n", "\xf0\x9f\x98\x80\n", "\xff\xfe"} {
		f.Add([]byte(s), uint(0), uint(1))
		f.Add([]byte(s), uint(maxFrame-1), uint(2))
		f.Add([]byte(s), uint(maxFrame), uint(3))
	}
	// pad bytes before data bring it to the edge of a frame.
	f.Fuzz(func(t *testing.T, data []byte, pad, size uint) {
		pad %= 2*maxFrame + 10
		size = 1 + size%1000
		var l lineReader
		l.read(t, bytes.Repeat([]byte("x"), int(pad)), false)
		for p := range slices.Chunk(data, int(size)) {
			l.read(t, p, false)
		}
		l.read(t, nil, true)
		if !slices.Equal(l.lines, linesOf(strings.Repeat("x", int(pad))+string(data))) {
			t.Errorf("%d bytes and %q: other lines than there are", pad, data)
		}
	})
}

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
