package wire

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// sendText sends a log messages in one batch.
func sendText(tb testing.TB, l *Log, messages ...string) {
	tb.Helper()
	b := new(Batch)
	for _, m := range messages {
		b.Append(Text, []byte(m), true)
	}
	if err := l.Send(b); err != nil {
		tb.Fatal(err)
	}
	if !b.IsEmpty() {
		tb.Error("the batch is not empty after Send")
	}
}

// heardMessages reads the messages of frames, of which the first may be the end of
// one.
type heardMessages struct {
	open   []byte
	packed bool
	all    []string
}

func (m *heardMessages) read(tb testing.TB, frames []byte) {
	tb.Helper()
	for len(frames) > 0 {
		h := parseHeader(frames)
		if h.size == 0 || uint64(len(frames)) < h.frameSize() {
			tb.Errorf("half a frame: % x", frames[:min(len(frames), 20)])
			return
		}
		m.packed = m.packed || h.first&rsv1Bit != 0
		m.open = append(m.open, frames[h.size:h.frameSize()]...)
		if h.fin() {
			if m.packed {
				m.open = inflatedBy(tb, m.open)
			}
			m.all = append(m.all, string(m.open))
			m.open, m.packed = nil, false
		}
		frames = frames[h.frameSize():]
	}
}

func inflatedBy(tb testing.TB, p []byte) []byte {
	tb.Helper()
	in := newInflater(bytes.NewReader(p))
	defer in.put()
	all, err := io.ReadAll(in)
	if err != nil {
		tb.Error(err)
	}
	return all
}

// readNext reads what a cursor has now.
func readNext(tb testing.TB, c *Cursor) ([]string, error) {
	tb.Helper()
	b := new(Batch)
	if err := c.Next(tb.Context(), b); err != nil {
		return nil, err
	}
	var m heardMessages
	m.read(tb, b.frames)
	if len(m.all) != b.messages || b.last != c.Number() {
		tb.Errorf("%d messages up to %d, the batch says %d up to %d", len(m.all), c.Number(), b.messages, b.last)
	}
	return m.all, nil
}

func newCursor(tb testing.TB, l *Log, o CursorOptions) *Cursor {
	tb.Helper()
	c, err := l.NewCursor(o)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func wantNext(tb testing.TB, c *Cursor, want ...string) {
	tb.Helper()
	got, err := readNext(tb, c)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		tb.Errorf("got %q, %v; want %q", got, err, want)
	}
}
