package bridge

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
	"github.com/wsbridge/wsbridge/process/selfchild"
)

// A cutting is the output of a program, as a session reads and cuts it: in the reads that
// it is given.
type cutting struct {
	t        testing.TB
	reads    [][]byte // still to come; an end of file may come with the last
	endsWith bool     // it does
	lines    []string // messages that are over
	cuts     []int    // the sizes of the frames that were not their message's last
	piece    []byte   // of a message that is not over
	begun    bool     // there is one
	waiting  int      // the most bytes that waited for the end of their line
}

// cutUp has an output delivered that comes in these reads.
func cutUp(t testing.TB, endsWith bool, reads ...[]byte) *cutting {
	t.Helper()
	c := &cutting{t: t, reads: reads, endsWith: endsWith}
	nc := &wiretest.Conn{}
	session := accepted(t, Lines{}, wire.Options{}, nc, nil, nil, discard{})
	d := &delivery{codec: codecOf(Lines{}), out: session, batch: session.link.NewBatch()}
	s := &stream{name: "stdout"}
	s.from = cuttingSource{c, s}
	if readErr, err := d.run(s); readErr != io.EOF || err != nil {
		t.Fatalf("the delivery ends with %v, %v", readErr, err)
	}
	session.end(nil)
	session.link.Cut()
	for _, f := range sentFrames(t, nc.Sent()) {
		c.frame(f)
	}
	if c.begun {
		t.Error("the last message has no end")
	}
	return c
}

func (c *cutting) frame(f frame) {
	switch n := len(f.payload); {
	case c.begun != (f.op == opContinuation):
		c.t.Fatalf("opcode %x, in the middle of a message %t", f.op, c.begun)
	case bytes.ContainsRune(f.payload, utf8.RuneError): // three bytes, perhaps for one
	case n > maxFrame:
		c.t.Fatalf("a frame of %d bytes, the longest is %d", n, maxFrame)
	case !f.fin && n <= maxFrame-utf8.UTFMax:
		c.t.Fatalf("a piece of %d bytes", n)
	}
	c.piece, c.begun = append(c.piece, f.payload...), !f.fin
	if f.fin {
		c.lines, c.piece = append(c.lines, string(c.piece)), nil
	} else {
		c.cuts = append(c.cuts, len(f.payload))
	}
}

// A cuttingSource is what the stream of a cutting reads.
type cuttingSource struct {
	*cutting
	stream *stream
}

func (c cuttingSource) ReadTo(take func() []byte, _ func()) (int, error) {
	c.waiting = max(c.waiting, len(c.stream.data()))
	if len(c.reads) == 0 {
		return 0, io.EOF
	}
	n := copy(take(), c.reads[0])
	if c.reads[0] = c.reads[0][n:]; len(c.reads[0]) == 0 {
		c.reads = c.reads[1:]
	}
	if len(c.reads) == 0 && c.endsWith {
		return n, io.EOF
	}
	return n, nil
}

// linesOf splits a whole output the simple way, and repairs it.
func linesOf(output string) []string {
	if !utf8.ValidString(output) {
		output = string(appendValid(nil, []byte(output)))
	}
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
		{"NUL and other bytes", "\x00\x01\xff\n", []string{"\x00\x01\ufffd"}},
	} {
		for size := 1; size <= max(len(test.output), 1); size++ {
			for _, endsWith := range []bool{false, true} {
				got := cutUp(t, endsWith, slices.Collect(slices.Chunk([]byte(test.output), size))...).lines
				if !slices.Equal(got, test.lines) {
					t.Errorf("%s, %d bytes a read: %q, want %q", test.name, size, got, test.lines)
				}
			}
		}
	}
}

// What stands at the edge of the longest frame.
func TestSplitLongLine(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	sizes := []int{64 << 10, maxFrame + 1, math.MaxInt} // of the reads
	if selfchild.Race() {
		sizes = sizes[:1] // one goroutine does it all
	}
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
		{"continuation bytes over the edge", x(maxFrame-3) + "\x80\x80\x80\x80\x80\n", []int{maxFrame + 6}},
		{"a short line after it", x(maxFrame+9) + "\nshort\n" + x(maxFrame+9) + "\n", []int{maxFrame, maxFrame}},
	} {
		want := linesOf(test.output)
		for _, size := range sizes {
			size = min(size, len(test.output))
			got := cutUp(t, false, slices.Collect(slices.Chunk([]byte(test.output), size))...)
			if got.waiting >= maxFrame+2 {
				t.Errorf("%s: %d bytes wait for the end of their line", test.name, got.waiting)
			}
			if !slices.Equal(got.lines, want) {
				t.Errorf("%s, %d bytes a read: other lines than there are", test.name, size)
			}
			if !slices.Equal(got.cuts, test.cuts) {
				t.Errorf("%s, %d bytes a read: pieces of %d, want %d", test.name, size, got.cuts, test.cuts)
			}
		}
	}
}

// Whatever is written, in whatever pieces it is read, comes out line by line.
func TestSplitLineOfAnything(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	parts := []string{"\n", "\r\n", "\r", "x", "é", "€", "😀", "\x80", "\xe2\x82", "\xf0\x9f", "\xff", "\x00"}
	long := []string{strings.Repeat("x", maxFrame-3), strings.Repeat("€", maxFrame/3), strings.Repeat("é\x80", maxFrame/3)}
	rounds := 200
	if selfchild.Race() {
		rounds = 50 // one goroutine does it all
	}
	for round := range rounds {
		var b strings.Builder
		for range r.IntN(40) {
			if round%10 == 0 && r.IntN(16) == 0 {
				b.WriteString(long[r.IntN(len(long))])
			}
			b.WriteString(parts[r.IntN(len(parts))])
		}
		output := b.String()
		var reads [][]byte
		for rest := []byte(output); len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 16))
			if r.IntN(3) == 0 || len(output) > 1000 {
				n = 1 + r.IntN(len(rest))
			}
			reads, rest = append(reads, rest[:n]), rest[n:]
		}
		// The end may come with the last bytes or after them.
		if got := cutUp(t, r.IntN(2) == 0, reads...).lines; !slices.Equal(got, linesOf(output)) {
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
		var reads [][]byte
		if pad > 0 {
			reads = append(reads, bytes.Repeat([]byte("x"), int(pad)))
		}
		reads = slices.AppendSeq(reads, slices.Chunk(data, int(size)))
		if got := cutUp(t, false, reads...).lines; !slices.Equal(got, linesOf(strings.Repeat("x", int(pad))+string(data))) {
			t.Errorf("%d bytes and %q: other lines than there are", pad, data)
		}
	})
}
