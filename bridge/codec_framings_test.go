package bridge

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// A cutFraming is what a framing makes of a program's output.
type cutFraming struct {
	messages []string
	chatter  []string
	err      error
}

func (c cutFraming) String() string {
	return fmt.Sprintf("%q, chatter %q, %v", c.messages, c.chatter, c.err)
}

// cutOf is what a framing makes of output that is read in two pieces.
func cutOf(t testing.TB, f Framing, output string, at int) cutFraming {
	t.Helper()
	var c cutFraming
	codec := codecOf(f)
	if talks, ok := codec.(chatterer); ok {
		talks.hear(func(line string) { c.chatter = append(c.chatter, line) })
	}
	nc := &wiretest.Conn{}
	s := accepted(t, f, wire.Options{}, nc, nil, nil, discard{})
	d := &delivery{codec: codec, out: s, batch: s.link.NewBatch()}
	var readErr error
	readErr, c.err = d.run(&stream{name: "stdout", from: readerSource{io.MultiReader(strings.NewReader(output[:at]), strings.NewReader(output[at:]))}})
	if c.err == nil && readErr != io.EOF {
		t.Fatal(readErr)
	}
	var open []byte
	for rest := nc.Sent(); len(rest) > 0; {
		var first byte
		var payload []byte
		first, payload, _, rest = parseFrame(t, rest)
		open = append(open, payload...)
		if first&finBit != 0 {
			c.messages, open = append(c.messages, string(open)), nil
		}
	}
	s.end(nil)
	return c
}

func lspBody(s string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(s), s) }

var cutCases = []struct {
	name    string
	framing Framing
	output  string
	want    cutFraming
}{
	{"records", Nul{}, "one\x00two\nlines\x00\x00last", cutFraming{messages: []string{"one", "two\nlines", "", "last"}}},
	{"a carriage return is data", Nul{}, "one\r\x00", cutFraming{messages: []string{"one\r"}}},
	{"no records", Nul{}, "", cutFraming{}},
	{"values", JSON{}, "{\"a\": 1}\r\n [2]\n\t{}", cutFraming{messages: []string{`{"a": 1}`, "[2]", "{}"}}},
	{"chatter", JSON{}, "hello\n{}\n\n12\n\"x\"\nlast words", cutFraming{messages: []string{"{}"}, chatter: []string{"hello", "12", `"x"`, "last words"}}},
	{"not UTF-8", JSON{}, "{\xff}\n", cutFraming{messages: []string{"{\ufffd}"}}},
	{"bodies", LSP{}, lspBody("{}") + lspBody("") + lspBody("a\r\n\r\nb"), cutFraming{messages: []string{"{}", "", "a\r\n\r\nb"}}},
	{"more headers", LSP{}, "content-type: x\nCONTENT-LENGTH:2\n\n{}", cutFraming{messages: []string{"{}"}}},
	{"chatter between", LSP{}, "starting up\n" + lspBody("{}") + "careful: it warns\r\n\r\n" + lspBody("[]") + "bye", cutFraming{messages: []string{"{}", "[]"}, chatter: []string{"starting up", "careful: it warns", "bye"}}},
	{"chatter in a block", LSP{}, "Content-Length: 2\r\noops\r\n\r\n{}", cutFraming{messages: []string{"{}"}, chatter: []string{"oops"}}},
	{"cut off", LSP{}, lspBody("{}") + "Content-Length: 10\r\n\r\n{", cutFraming{messages: []string{"{}"}, chatter: []string{"the program ended in the middle of a message"}}},
	{"no length", LSP{}, "Content-Type: x\r\n\r\n{}", cutFraming{err: errBadFraming}},
	{"a bad length", LSP{}, lspBody("[]") + "Content-Length: -1\r\n\r\n{}", cutFraming{messages: []string{"[]"}, err: errBadFraming}},
	{"two lengths", LSP{}, "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", cutFraming{err: errBadFraming}},
	{"the largest length", LSP{}, "Content-Length: 9007199254740992\r\n\r\n{}", cutFraming{chatter: []string{"the program ended in the middle of a message"}}},
	{"over the largest length", LSP{}, "Content-Length: 9007199254740993\r\n\r\n{}", cutFraming{err: errBadFraming}},
}

// Whatever a read brings, a framing makes the same of the whole.
func TestFramings(t *testing.T) {
	for _, test := range cutCases {
		for at := range len(test.output) + 1 {
			got := cutOf(t, test.framing, test.output, at)
			if got.String() != test.want.String() {
				t.Errorf("%T, %s, cut at %d: got %s, want %s", test.framing, test.name, at, got, test.want)
				break
			}
		}
	}
}

// Long messages leave in fragments, whole and in bounded memory.
func TestLongFramings(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789\u00e9", 300_000)
	for _, test := range []struct {
		framing Framing
		output  string
		want    string
	}{
		{Nul{}, long + "\x00", long},
		{JSON{}, "{" + long + "}\n", "{" + long + "}"},
		{LSP{}, lspBody(long), long},
	} {
		if got := cutOf(t, test.framing, test.output, 100); len(got.messages) != 1 || got.messages[0] != test.want {
			t.Errorf("%T: %d messages, %v", test.framing, len(got.messages), got.err)
		}
	}
	if got := cutOf(t, LSP{}, "Content-X: "+strings.Repeat("x", maxHeaders), 10); got.err != errBadFraming {
		t.Errorf("headers over the limit: %v", got.err)
	}
	for _, over := range []int{0, 1} {
		line := strings.Repeat("x", maxHeaders+over) + "\n"
		for _, at := range []int{0, 10, maxHeaders + 1, len(line)} {
			if got := cutOf(t, LSP{}, line+lspBody("{}"), at); (got.err == errBadFraming) != (over > 0) {
				t.Errorf("a line of 64 KiB and %d, cut at %d: %v", over, at, got.err)
			}
		}
	}
	if got := cutOf(t, LSP{}, strings.Repeat("Content-X: y\n", maxHeaders/12), 10); got.err != errBadFraming {
		t.Errorf("many headers: %v", got.err)
	}
}

// What becomes of a message on its way to the program.
func TestFramingsFeed(t *testing.T) {
	for _, test := range []struct {
		framing       Framing
		message, want string
	}{
		{Nul{}, "a\nb\x00c", "a\nb\x00c\x00"},
		{JSON{}, "{\n  \"a\": [1, 2]\n}\n", "{\"a\":[1,2]}\n"},
		{JSON{}, "12", "12\n"},
		{LSP{}, "{}", "Content-Length: 2\r\n\r\n{}"},
		{LSP{}, "", "Content-Length: 0\r\n\r\n"},
	} {
		if got := fed(test.framing, test.message); got != test.want {
			t.Errorf("%T: %q becomes %q, want %q", test.framing, test.message, got, test.want)
		}
	}
	for _, message := range []string{"", " ", "{", "{}{}", "nul", "\x00"} {
		if _, _, err := codecOf(JSON{}).feed([]byte(message), 0, wire.Text); err != errNotJSON {
			t.Errorf("%q is JSON: %v", message, err)
		}
	}
}

// A message that is not JSON ends the session, and the program has those before.
func TestNotJSON(t *testing.T) {
	h := child(&Handler{Framing: JSON{}}, "echo")
	events := record(t, h)
	p := connect(t, serve(t, h))
	p.write(text(`{"a": 1}`))
	if got := p.message(); got != `{"a":1}` {
		t.Errorf("got %q", got)
	}
	p.write(slices.Concat(text("[]"), text("nonsense"), text("{}")))
	messages, end := p.closed()
	if end != errNotJSON || len(messages) > 1 {
		t.Errorf("%q, closed with %v", messages, end)
	}
	events.wait(an[Closed](func(e Closed) bool { return e.Ending == errNotJSON }))
}

// No framing allocates for a message.
func TestFramingsAllocateNothing(t *testing.T) {
	for _, f := range []Framing{Lines{}, Nul{}, JSON{}, LSP{}} {
		codec := codecOf(f)
		batch := make([]byte, 0, 4096)
		n := testing.AllocsPerRun(1000, func() {
			b, _, err := codec.feed(append(batch[:0], `{"jsonrpc":"2.0","method":"x"}`...), 0, wire.Text)
			if err != nil || len(b) == 0 {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%T: %v allocations a message", f, n)
		}
	}
}

// Output of any kind is cut alike wherever it is read, and nothing panics.
func FuzzFramings(f *testing.F) {
	for i, test := range cutCases {
		f.Add([]byte(test.output), uint(i), byte(i))
	}
	f.Fuzz(func(t *testing.T, output []byte, at uint, which byte) {
		framing := []Framing{Nul{}, JSON{}, LSP{}}[which%3]
		whole := cutOf(t, framing, string(output), 0)
		got := cutOf(t, framing, string(output), int(at%uint(len(output)+1)))
		if got.err != whole.err || got.err == nil && got.String() != whole.String() {
			t.Errorf("%T: %s, cut: %s", framing, whole, got)
		}
	})
}
