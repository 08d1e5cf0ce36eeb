package bridge

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// LSP makes a text message of each body that the program writes behind a header
// block with its Content-Length, as language servers and debug adapters do (LSP,
// DAP), and such a body of each message for it. A line that is no header where
// one must be is chatter, which only Events hear of. A header block without a
// valid length, or over 64 KiB, ends the session with 1011. A body that the exit
// cuts off is dropped.
type LSP struct{}

func (LSP) newCodec() codec { return new(lspCodec) }

type lspCodec struct {
	chatter lineLog
	headers int   // bytes of the header block so far
	length  int64 // that it has told; -1: none yet
	inBlock bool  // a header has come
	left    int64 // bytes of the body that are still to come
	inBody  bool
}

const (
	maxHeaders = 64 << 10
	maxBody    = 1 << 53 // what a number of JavaScript can tell exactly
)

var errBadFraming = Ending{codeInternalError, "bad framing"}

func (*lspCodec) withStderr() bool { return false }
func (*lspCodec) inPieces() bool   { return false } // its length comes first

func (*lspCodec) feed(batch []byte, start int, _ wire.Kind) ([]byte, action, error) {
	var b [48]byte
	header := append(strconv.AppendInt(append(b[:0], "Content-Length: "...), int64(len(batch)-start), 10), "\r\n\r\n"...)
	return slices.Insert(batch, start, header...), nil, nil
}

// hear says who is told of chatter.
func (c *lspCodec) hear(said func(line string)) { c.chatter.said = said }

func (c *lspCodec) cut(d *delivery, s *stream, atEOF bool) error {
	rest := s.data()
	for {
		var n int
		var err error
		if c.inBody {
			n, err = c.cutBody(d, rest)
		} else {
			n, err = c.cutHeader(rest, atEOF)
		}
		if err != nil {
			return err
		}
		if rest = rest[n:]; n == 0 && !(c.inBody && c.left == 0) {
			break
		}
	}
	s.keep(rest)
	if atEOF {
		c.chatter.end()
		if c.inBody {
			c.said("the program ended in the middle of a message")
		}
	}
	return nil
}

// cutHeader takes a line of a header block, and returns its length.
func (c *lspCodec) cutHeader(data []byte, atEOF bool) (n int, err error) {
	i := bytes.IndexByte(data, '\n')
	switch {
	case i > maxHeaders, i < 0 && len(data) > maxHeaders: // whatever the reads have brought
		return 0, errBadFraming
	case i < 0 && (!atEOF || len(data) == 0):
		return 0, nil
	case i < 0:
		i = len(data) - 1 // a last line without its end
	}
	n = i + 1
	line := bytes.TrimRight(data[:n], "\r\n")
	name, value, isHeader := bytes.Cut(line, []byte(":"))
	switch {
	case len(line) == 0 && !c.inBlock:
		return n, nil
	case len(line) == 0:
		if c.length < 0 {
			return 0, errBadFraming
		}
		c.inBlock, c.inBody, c.left, c.headers = false, true, c.length, 0
		return n, nil
	case !isHeader || len(name) < len("Content-X") || !bytes.EqualFold(name[:len("Content-")], []byte("Content-")) || bytes.ContainsAny(name, " \t"):
		c.said(string(line[:min(len(line), maxLogLine)]))
		return n, nil
	}
	if !c.inBlock {
		c.inBlock, c.length = true, -1
	}
	if c.headers += n; c.headers > maxHeaders {
		return 0, errBadFraming
	}
	if bytes.EqualFold(name, []byte("Content-Length")) {
		length, err := strconv.ParseUint(string(bytes.Trim(value, " \t")), 10, 64)
		if err != nil || length > maxBody || c.length >= 0 && c.length != int64(length) {
			return 0, errBadFraming
		}
		c.length = int64(length)
	}
	return n, nil
}

func (c *lspCodec) said(line string) {
	if c.chatter.said != nil {
		c.chatter.said(line)
	}
}

// cutBody takes what is there of a body, if that is all of it or enough for a
// frame.
func (c *lspCodec) cutBody(d *delivery, data []byte) (n int, err error) {
	last := int64(len(data)) >= c.left
	switch {
	case last && c.left <= maxFrame:
		n = int(c.left)
	case len(data) >= maxFrame:
		n, last = maxFrame-wire.PartialRune(data[:maxFrame]), false
	default:
		return 0, nil
	}
	c.left -= int64(n)
	c.inBody = !last
	return n, d.add(wire.Text, valid(data[:n]), last)
}
