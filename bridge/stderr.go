package bridge

import (
	"bytes"
	"io"
	"log/slog"
)

// stderr logs the child's standard error.
func (s *session) stderr() { logLines(s.log, s.child.Stderr) }

// logLines logs a child's standard error line by line until it ends.
func logLines(log *slog.Logger, stderr io.Reader) {
	// Most children write nothing here: until one does, a few bytes wait.
	first := make([]byte, 64)
	n, err := stderr.Read(first)
	if err != nil {
		return
	}
	lines := &lineLog{log: log}
	_, _ = lines.Write(first[:n])
	_, _ = io.CopyBuffer(lines, stderr, make([]byte, maxLogLine))
	lines.end()
}

// maxLogLine is how much of a line of the child's standard error is logged
// as one; a longer line is logged in pieces.
const maxLogLine = 8 << 10

// A lineLog logs the lines that are written to it.
type lineLog struct {
	log  *slog.Logger
	part []byte // of a line whose end has not come
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

// end logs a last line without a newline.
func (w *lineLog) end() {
	if len(w.part) > 0 {
		w.write(w.part)
	}
}

func (w *lineLog) write(line []byte) {
	w.log.Info("stderr", slog.String("line", string(line)))
	w.part = w.part[:0]
}
