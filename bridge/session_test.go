package bridge

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEcho(t *testing.T) {
	srv := serve(t, child(&Handler{}, "echo"))
	p := connect(t, srv)
	for _, m := range []string{"hello", "", "grüße, 世界 🌍", strings.Repeat("long", 100_000), "two\rparts"} {
		p.write(text(m))
		if got := p.message(); got != m {
			t.Errorf("sent %.40q, got %.40q", m, got)
		}
	}
	p.write(closing(1000, "bye"))
	p.wantClose(Ending{1000, "bye"})
}

func TestBinary(t *testing.T) {
	srv := serve(t, child(&Handler{Framing: Chunks{}}, "echo"))
	p := connect(t, srv)
	for _, size := range []int{1, 125, 126, 127, 2000, 65535, 65536, 300_000} {
		sent := bytes.Repeat([]byte("\x00\xff\n\x7f\x80"), size/5+1)[:size]
		p.write(appendFrame(nil, finBit|opBinary, sent, true))
		var got []byte
		for len(got) < size {
			got = append(got, p.message()...)
		}
		if !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes came back changed", size)
		}
	}
	p.write(closing(1000, ""))
	p.wantClose(Ending{1000, ""})
}

// Lines of every size that a buffer or a header has an edge at, as they leave.
func TestLineSizes(t *testing.T) {
	sizes := []int{0, 1, 125, 126, 127, smallBuffer - 1, smallBuffer, smallBuffer + 1, 65535, 65536,
		largeBuffer - 1, largeBuffer, largeBuffer + 1, maxFrame - 1, maxFrame, maxFrame + 1, 3 * maxFrame, 7}
	var args []string
	for _, n := range sizes {
		args = append(args, fmt.Sprint(n))
	}
	p := connect(t, serve(t, child(&Handler{}, "line", args...)))
	for _, want := range sizes {
		f := p.next()
		got, frames := len(f.payload), 1
		if f.op != opText {
			t.Fatalf("line of %d: opcode %x", want, f.op)
		}
		for !f.fin {
			f = p.next()
			if f.op != opContinuation {
				t.Fatalf("line of %d: opcode %x in the middle", want, f.op)
			}
			got += len(f.payload)
			frames++
		}
		if got != want || (frames > 1) != (want > maxFrame) {
			t.Errorf("line of %d arrived as %d bytes in %d frames", want, got, frames)
		}
	}
	p.wantClose(Ending{1000, ""})
}

// What the child writes, write by write, and the messages that arrive. Each
// write but the first waits for a line from the client.
func TestLines(t *testing.T) {
	long := strings.Repeat("x", maxFrame-1)
	tests := []struct {
		name   string
		writes []string
		want   []string
	}{
		{"empty lines", []string{"\n\na\n\n"}, []string{"", "", "a", ""}},
		{"no output", []string{""}, nil},
		{"carriage returns", []string{"a\r\nb\rc\n\r\n\r\r\n"}, []string{"a", "b\rc", "", "\r"}},
		{"no newline at the end", []string{"a\nb"}, []string{"a", "b"}},
		{"carriage return at the end", []string{"a\nb\r"}, []string{"a", "b\r"}},
		{"a rune in two writes", []string{"a\nb\xe4", "\xb8\x96c\n"}, []string{"a", "b世c"}},
		{"not UTF-8", []string{"a\xffb\n\xe4\xb8\nok\n"}, []string{"a\uFFFDb", "\uFFFD\uFFFD", "ok"}},
		{"half a rune at the end", []string{"a\xe4\xb8"}, []string{"a\uFFFD\uFFFD"}},
		{"a rune across frames", []string{long + "世界\n"}, []string{long + "世界"}},
		{"not UTF-8 across frames", []string{long + "\xffab\n"}, []string{long + "\uFFFDab"}},
		{"a newline at the edge of a frame", []string{long + "x\r\n" + long + "x\n"}, []string{long + "x", long + "x"}},
		{"a long line without newline", []string{long + long}, []string{long + long}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var files []string // an argument cannot hold the long ones
			for i, w := range test.writes {
				files = append(files, filepath.Join(t.TempDir(), fmt.Sprint(i)))
				if err := os.WriteFile(files[i], []byte(w), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p := connect(t, serve(t, child(&Handler{}, "write", files...)))
			for range test.writes[1:] {
				p.write(text("go on"))
			}
			got, end := p.closed()
			if fmt.Sprintf("%.50q", got) != fmt.Sprintf("%.50q", test.want) || strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got %.50q, want %.50q", got, test.want)
			}
			if end != (Ending{1000, ""}) {
				t.Errorf("closed with %v", end)
			}
		})
	}
}

func (h *Handler) sessions() int {
	h.own.mu.Lock()
	defer h.own.mu.Unlock()
	return h.own.running
}

// Bytes that come with the handshake are the first of the stream. They used
// to be lost in a part of the runs, when net/http's read-ahead had some.
func TestBytesWithTheHandshake(t *testing.T) {
	t.Parallel()
	srv := serve(t, child(&Handler{}, "echo"))
	for i := range 60 {
		var early [][]byte
		n := i % 4 * 50
		for k := range n {
			early = append(early, text(fmt.Sprint("early ", k)))
		}
		p := connect(t, srv, early...)
		p.write(text("late"))
		for k := range n {
			if got, want := p.message(), fmt.Sprint("early ", k); got != want {
				t.Fatalf("run %d: got %q, want %q", i, got, want)
			}
		}
		if got := p.message(); got != "late" {
			t.Fatalf("run %d: got %q", i, got)
		}
		p.write(closing(1000, ""))
		p.wantClose(Ending{1000, ""})
	}
}

// A message that is exactly as big as allowed is let in.
func TestMessageLimit(t *testing.T) {
	p := connect(t, serve(t, child(&Handler{Bounds: Bounds{MaxMessageSize: 1000}}, "echo")))
	want := strings.Repeat("x", 1000)
	p.write(text(want))
	if got := p.message(); got != want {
		t.Errorf("got %d bytes", len(got))
	}
}

// A child that closes its input goes on printing.
func TestChildClosesStdin(t *testing.T) {
	h := child(&Handler{}, "closein", "300")
	p := connect(t, serve(t, h))
	if got := p.message(); got != "closed" {
		t.Fatal(got)
	}
	p.write(bytes.Repeat(text(strings.Repeat("x", 1000)), 500))
	if got := p.message(); got != "still here" {
		t.Fatal(got)
	}
	p.wantClose(Ending{1000, ""})
}

// A line of any length on stderr is drained and logged.
func TestStderr(t *testing.T) {
	h := child(&Handler{}, "stderr", "1000000")
	log := record(t, h)
	p := connect(t, serve(t, h))
	if got := p.message(); got != "done" {
		t.Fatal(got)
	}
	log.complaints(1_000_000)
	p.write(closing(1000, ""))
	p.wantClose(Ending{1000, ""})
}

func TestMaxForks(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Limits: &Limits{MaxForks: 1}}, "echo")
	srv := serve(t, h)
	p := connect(t, srv)
	if status := handshake(t, srv); status != 429 {
		t.Errorf("got %d", status)
	}
	p.write(closing(1000, ""))
	p.wantClose(Ending{1000, ""})
	p.Close()
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the slot" })
	connect(t, srv)
}
