package cmd

import (
	"bytes"
	"io"
	"regexp"
	"sync"
	"unicode/utf8"
)

// The terminal's editor writes messages and what is typed in the same way. These marks
// stand in messages for what the display has to write of them, and of them alone.
const (
	markNewline = 0x1e
	markTab     = 0x1f
)

// mark puts marks into text that has no controls but those.
func mark(text []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\n"), []byte{markNewline}), []byte("\t"), []byte{markTab})
}

// A display is a terminal in raw mode. The editor writes to it from several goroutines, and
// does not hold its lock when it turns bracketed paste on or off.
type display struct {
	w io.Writer

	mu  sync.Mutex // guards what follows
	buf []byte
}

// Write writes what the editor does. What is typed may have controls, if it was pasted:
// each takes the one column that the editor thinks it does.
func (d *display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.buf = d.buf[:0]
	for _, c := range p {
		switch {
		case c == markNewline:
			d.buf = append(d.buf, '\r', '\n')
		case c == markTab:
			d.buf = append(d.buf, '\t')
		case c < ' ' && c != '\r' && c != '\n' && c != '\x1b':
			d.buf = append(d.buf, ' ')
		default:
			d.buf = append(d.buf, c)
		}
	}
	if _, err := d.w.Write(d.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

// colour is the only sequence that a message may have: SGR, of ECMA-48, section 8.3.117.
var colour = regexp.MustCompile(`^\x1b\[[0-9;:]*m`)

// shown is lines as they are shown above a prompt, with marks. Controls that would
// disturb it are shown as Ctrl-keys are (^[); colours end with the line.
func shown(lines []byte) []byte {
	var b []byte
	for line := range bytes.Lines(lines) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		coloured := false
		for len(line) > 0 {
			r, size := utf8.DecodeRune(line)
			switch {
			case r == '\x1b' && colour.Match(line):
				size = len(colour.Find(line))
				b = append(b, line[:size]...)
				coloured = true
			case r == '\t':
				b = append(b, markTab)
			case r < ' ' || r == 0x7f:
				b = append(b, '^', byte(r)^0x40)
			case r >= 0x80 && r < 0xa0:
				b = utf8.AppendRune(b, utf8.RuneError)
			default:
				b = utf8.AppendRune(b, r)
			}
			line = line[size:]
		}
		if coloured {
			b = append(b, plain...)
		}
		b = append(b, markNewline)
	}
	return b
}
