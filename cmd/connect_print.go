package cmd

import (
	"bytes"
	"errors"
	"io"
	"time"
)

// printOptions say how connect prints what comes.
type printOptions struct {
	timestamps bool
	verbose    bool
}

func (o *printOptions) add(flags flagGroup) {
	flags.BoolVar(&o.timestamps, "timestamps", false, "print the local time before each line that comes")
	flags.BoolVar(&o.verbose, "verbose", false, "print on standard error what the server has answered to the handshake, the time of each ping (every 10 s), and how the connection was closed")
}

func (o *printOptions) check(framing string, command []string) error {
	switch {
	case !o.timestamps:
	case len(command) > 0:
		return errors.New("--timestamps cannot be combined with a COMMAND, which gets the messages")
	case framing == "bytes" || framing == "nul" || framing == "lsp":
		return errors.New("--timestamps cannot be combined with --framing=" + framing + ", which has no lines")
	}
	return nil
}

// output is where to print.
func (o *printOptions) output(w io.Writer) io.Writer {
	if !o.timestamps {
		return w
	}
	return &stampedWriter{w: w, now: time.Now}
}

// A stampedWriter writes the time before each line.
type stampedWriter struct {
	w      io.Writer
	now    func() time.Time
	inLine bool // the last line has not ended
	buf    []byte
}

func (s *stampedWriter) Write(p []byte) (int, error) {
	s.buf = s.buf[:0]
	stamp := s.now().AppendFormat(nil, "15:04:05.000 ")
	for line := range bytes.Lines(p) {
		if !s.inLine {
			s.buf = append(s.buf, stamp...)
		}
		s.buf = append(s.buf, line...)
		s.inLine = line[len(line)-1] != '\n'
	}
	if _, err := s.w.Write(s.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}
