package bridge

import (
	"bytes"
	"encoding/json"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// JSON makes a text message of each line that the program writes and that begins
// with { or [, as JSON Lines, MCP and ACP have it; blanks before that are
// allowed. Other lines are chatter, which only Events hear of. A message for the
// program must be JSON (RFC 8259), or the session ends with 1007; it becomes one
// line.
type JSON struct{}

func (JSON) newCodec() codec { return new(jsonCodec) }

type jsonCodec struct {
	chatter lineLog
	skips   bool // the line that is being cut is chatter
	begun   bool // it has begun
	compact bytes.Buffer
}

var errNotJSON = Ending{1007, "message is not JSON"}

func (*jsonCodec) withStderr() bool { return false }
func (*jsonCodec) inPieces() bool   { return false } // it is judged as a whole

func (c *jsonCodec) feed(batch []byte, start int, _ wire.Kind) ([]byte, action, error) {
	c.compact.Reset()
	if json.Compact(&c.compact, batch[start:]) != nil || c.compact.Len() == 0 {
		return batch, nil, errNotJSON
	}
	batch = append(append(batch[:start], c.compact.Bytes()...), '\n')
	if c.compact.Cap() > wire.LargeBuffer {
		c.compact = bytes.Buffer{}
	}
	return batch, nil, nil
}

// hear says who is told of chatter.
func (c *jsonCodec) hear(said func(line string)) { c.chatter.said = said }

func (c *jsonCodec) cut(d *delivery, s *stream, atEOF bool) error {
	rest, searched := s.data(), s.searched
	for len(rest) > 0 {
		end, next, last := lines.split(rest, searched, atEOF)
		if next == 0 {
			break
		}
		if err := c.add(d, rest[:end], last); err != nil {
			return err
		}
		rest, searched = rest[next:], 0
	}
	s.keep(rest)
	if !atEOF {
		return nil
	}
	c.chatter.end()
	if d.batch.IsOpen() {
		return d.add(wire.Text, nil, true)
	}
	return nil
}

// add adds a line, or a piece of it.
func (c *jsonCodec) add(d *delivery, line []byte, last bool) error {
	if !c.begun {
		line = bytes.TrimLeft(line, " \t\r")
		c.skips = len(line) == 0 || line[0] != '{' && line[0] != '['
	}
	c.begun = !last
	if !c.skips {
		return d.add(wire.Text, valid(line), last)
	}
	if len(line) > 0 {
		_, _ = c.chatter.Write(line) // has no errors
	}
	if last && len(line) > 0 {
		_, _ = c.chatter.Write([]byte{'\n'})
	}
	return nil
}
