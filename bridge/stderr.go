package bridge

import (
	"bytes"
	"io"
)

// maxLogLine is how much of a line of the child's standard error is told of as
// one; a longer line comes in pieces.
const maxLogLine = 8 << 10

// A lineLog reports the lines that are written to it.
type lineLog struct {
	said func(line string) // may be nil
	part []byte            // of a line whose end has not come
}

// readLines reads a child's standard error until it ends, and tells of it line
// by line. said may be nil.
func readLines(said func(line string), stderr io.Reader) {
	// Most children write nothing here: until one does, a few bytes wait.
	first := make([]byte, 64)
	n, err := stderr.Read(first)
	if err != nil {
		return
	}
	lines := &lineLog{said: said}
	_, _ = lines.Write(first[:n])
	_, _ = io.CopyBuffer(lines, stderr, make([]byte, maxLogLine))
	lines.end()
}

func (w *lineLog) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		line, rest, ended := bytes.Cut(p, []byte{'\n'})
		full := len(w.part)+len(line) > maxLogLine
		if full {
			room := maxLogLine - len(w.part)
			line, rest = p[:room], p[room:]
		}
		if len(w.part) > 0 || !full && !ended {
			w.part = append(w.part, line...)
			line = w.part
		}
		switch {
		case full:
			w.write(line)
		case ended:
			w.write(bytes.TrimSuffix(line, []byte{'\r'}))
		}
		p = rest
	}
	return n, nil
}

// hear is Write for what has no errors.
func (w *lineLog) hear(p []byte) { _, _ = w.Write(p) }

// end reports a last line without a newline.
func (w *lineLog) end() {
	if len(w.part) > 0 {
		w.write(w.part)
	}
}

func (w *lineLog) write(line []byte) {
	if w.said != nil {
		w.said(string(line))
	}
	w.part = w.part[:0]
}
