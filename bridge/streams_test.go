package bridge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// A said is a message of a child both of whose streams go to the client.
type said struct {
	Stream string `json:"stream"`
	Data   string `json:"data"`
}

func parseSaid(t testing.TB, message string) (s said) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(message))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil || d.InputOffset() != int64(len(message)) {
		t.Fatalf("%.100q (%d bytes) is no message of a stream: %v", message, len(message), err)
	}
	return s
}

// message is the message of websocketd, in which only what must be is escaped.
func (s said) message() string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func out(line string) said  { return said{"stdout", line} }
func err2(line string) said { return said{"stderr", line} }

// All that was said before the end arrives before the close frame, and what
// was said on stderr is in the log besides.
func TestPassStderr(t *testing.T) {
	h := child(&Handler{Framing: Tagged{}}, "say", "1one\r\ntwo\n", "?", "2three\n", "?", "1<&>\"\\\t\u2028\xff\n", "?", "2a\rlast wo", "2rd")
	log := record(t, h)
	p := connect(t, serve(t, h))
	want := func(all ...said) {
		t.Helper()
		for _, s := range all {
			if got := p.message(); got != s.message() {
				t.Errorf("got %q, want %q", got, s.message())
			}
		}
		p.write(text("go on"))
	}
	want(out("one"), out("two"))
	want(err2("three"))
	want(out("<&>\"\\\t\u2028\xff"))
	messages, end := p.closed()
	if !slices.Equal(messages, []string{err2("a\rlast word").message()}) || end != (Ending{Code: 1000}) {
		t.Errorf("got %q and %v", messages, end)
	}
	log.wait(says("three"))
	log.wait(says("a\rlast word"))
	log.wait(an(func(e Closed) bool { return e.Out.Messages == 5 }))
}

// A child that has closed its standard output may go on with the other.
func TestPassStderrAfterStdout(t *testing.T) {
	h := child(&Handler{Framing: Tagged{}}, "say", "1one\n", "0", "?", "2two\n", "?", "2three\n")
	p := connect(t, serve(t, h))
	for _, want := range []said{out("one"), err2("two")} {
		if got := parseSaid(t, p.message()); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		p.write(text("go on"))
	}
	if messages, end := p.closed(); !slices.Equal(messages, []string{err2("three").message()}) || end != (Ending{Code: 1000}) {
		t.Errorf("got %q and %v", messages, end)
	}
}

// When nobody takes its output any more, a child is ended as ever.
func TestPassStderrToAClientThatLeaves(t *testing.T) {
	h := child(&Handler{Framing: Tagged{}}, "flood")
	log := record(t, h)
	p := connect(t, serve(t, h))
	for streams := map[string]bool{}; len(streams) < 2; {
		streams[parseSaid(t, p.message()).Stream] = true
	}
	p.Close()
	log.wait(closedWith(1006))
}

// streaming is a session in memory.
func streaming(t *testing.T) (*session, *wiretest.Conn) {
	return inMemory(t, Tagged{}, 1, nil, nil, discard{})
}

// runBoth delivers two streams of such a session.
func runBoth(s *session, stdout, stderr io.Reader) (readErr, err error) {
	d := &delivery{codec: Tagged{}.newCodec(), out: s, batch: s.link.NewBatch()}
	return d.runBoth(&stream{name: "stdout", from: readerSource{stdout}}, &stream{name: "stderr", from: readerSource{stderr}})
}

// streamed is what the client of such a session gets of two streams.
func streamed(t *testing.T, s *session, nc *wiretest.Conn, stdout, stderr io.Reader) (frames []frame, all []said) {
	t.Helper()
	if readErr, err := runBoth(s, stdout, stderr); readErr != io.EOF || err != nil {
		t.Errorf("ended with %v and %v", readErr, err)
	}
	s.end(nil)
	var message strings.Builder
	frames = sentFrames(t, nc.Sent())
	bytes, messages := 0, int64(0)
	for i, f := range frames {
		if continues := message.Len() > 0; continues != (f.op == opContinuation) || f.op != opText && !continues {
			t.Fatalf("frame %d has opcode %x", i, f.op)
		}
		bytes += len(f.payload)
		message.Write(f.payload)
		if f.fin {
			all = append(all, parseSaid(t, message.String()))
			message.Reset()
			messages++
		}
	}
	if message.Len() > 0 {
		t.Errorf("a message without an end: %.100q", message.String())
	}
	if got, want := s.link.Sent(), (wire.Traffic{Messages: messages, Bytes: int64(bytes)}); got != want {
		t.Errorf("counted %v, want %v", got, want)
	}
	return frames, all
}

// only is what one of the streams said.
func only(all []said, stream string) (lines []string) {
	for _, s := range all {
		if s.Stream == stream {
			lines = append(lines, s.Data)
		}
	}
	return lines
}

// A line of any length is one message, in memory that has a limit.
func TestPassStderrLongLine(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("0123456789é\x01\xff", 3*maxFrame/14)
	s, nc := streaming(t)
	frames, all := streamed(t, s, nc, strings.NewReader(line+"\nshort\n"), strings.NewReader(""))
	if got, want := only(all, "stdout"), []string{strings.ToValidUTF8(strings.ReplaceAll(line, "\xff", "\ufffd"), ""), "short"}; !slices.Equal(got, want) {
		t.Errorf("got %d lines", len(got))
	}
	if len(frames) < 3 {
		t.Errorf("%d frames", len(frames))
	}
	for _, f := range frames {
		if len(f.payload) > 6*maxFrame+100 {
			t.Errorf("a frame of %d bytes", len(f.payload))
		}
	}
}

// A stream that is in the middle of a line without an end does not keep the
// other from speaking.
func TestPassStderrInTheMiddleOfALine(t *testing.T) {
	long := strings.Repeat("x", maxFrame+largeBuffer)
	stdout, o := io.Pipe()
	stderr, e := io.Pipe()
	s, nc := streaming(t)
	length := func() int { return len(nc.Sent()) }
	says := func(w io.Writer, what string, grows int) {
		before := length()
		io.WriteString(w, what)
		until(t, func() bool { return length() >= before+grows }, func() string {
			return fmt.Sprintf("%d bytes after %.50q", grows, what)
		})
	}
	warning, between := strings.Repeat("w", 1000), strings.Repeat("b", 1000)
	go func() {
		says(o, long, maxFrame)        // the line has begun
		says(e, warning+"\n", 1000)    // is not made to wait
		says(o, "rest\n", largeBuffer) // is a message of its own
		says(e, long, maxFrame)
		says(o, between+"\n", 1000)
		o.Close()
		e.Close()
	}()
	_, all := streamed(t, s, nc, stdout, stderr)
	begun, rest := long[:maxFrame], long[maxFrame:]
	want := []said{out(begun), err2(warning), out(rest + "rest"), err2(begun), out(between), err2(rest)}
	if !slices.Equal(all, want) {
		t.Errorf("%d messages, want %d", len(all), len(want))
		for _, s := range all {
			t.Logf("%s: %.50q (%d bytes)", s.Stream, s.Data, len(s.Data))
		}
	}
}

// Many lines of both streams leave in few writes.
func TestPassStderrBatches(t *testing.T) {
	lines := strings.Repeat("line\n", 1000)
	s, nc := streaming(t)
	writes := 0
	nc.OnSend = func() { writes++ }
	runBoth(s, strings.NewReader(lines), strings.NewReader(lines))
	s.end(nil)
	if n := len(sentFrames(t, nc.Sent())); n != 2000 || writes > 20 {
		t.Errorf("%d messages in %d writes", n, writes)
	}
}

// What comes in pieces is logged as if it had come whole.
func TestLineLog(t *testing.T) {
	long := strings.Repeat("x", maxLogLine)
	for _, test := range []struct {
		written string
		want    []string
	}{
		{"", nil},
		{"\n", []string{""}},
		{"one\ntwo\r\n\nthree", []string{"one", "two", "", "three"}},
		{"carriage\rreturns\r\r\n", []string{"carriage\rreturns\r"}},
		{long + "\nshort\n", []string{long, "short"}},
		{long + long + "y\nz", []string{long, long, "y", "z"}},
	} {
		for name, read := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader,
		} {
			var got []string
			lines := &lineLog{said: func(line string) { got = append(got, line) }}
			io.Copy(lines, struct{ io.Reader }{read(strings.NewReader(test.written))})
			lines.end()
			if !slices.Equal(got, test.want) {
				t.Errorf("%s of %.100q: got %d lines, want %d: %.300q", name, test.written, len(got), len(test.want), fmt.Sprint(got))
			}
		}
	}
}

func FuzzAppendEscaped(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "<&>", "\u2028\u2029\u2027", "é€🌍", "\xff\xe2\x82\xf0\x9f", "\ufffd"} {
		f.Add([]byte(s), 1)
	}
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(string(p)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("\"%s\"\n", appendEscaped(nil, p)); got != want.String() {
			t.Errorf("%q is escaped as %s, want %s", p, got, want.String())
		}
		// Between two runes it makes no difference where a string is cut.
		cut = min(max(cut, 0), len(p))
		cut -= wire.PartialRune(p[:cut])
		if got := appendEscaped(appendEscaped([]byte("\""), p[:cut]), p[cut:]); string(got)+"\"\n" != want.String() {
			t.Errorf("%q, cut after %d, is escaped as %s, want %s", p, cut, got, want.String())
		}
	})
}
