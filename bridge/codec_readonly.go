package bridge

import "github.com/wsbridge/wsbridge/bridge/internal/wire"

// ReadOnly is a Framing that drops what clients send. The program's standard input
// stays open.
type ReadOnly struct {
	Framing Framing // how the program speaks; nil is Lines
}

func (r ReadOnly) newCodec() codec { return readOnlyCodec{codecOf(r.Framing)} }

type readOnlyCodec struct{ codec }

func (readOnlyCodec) inPieces() bool { return false }

func (readOnlyCodec) feed(batch []byte, start int, _ wire.Kind) ([]byte, action, error) {
	return batch[:start], nil, nil
}

// outward is the codec of a program's output, which is what a ReadOnly has.
func outward(c codec) codec {
	if r, ok := c.(readOnlyCodec); ok {
		return r.codec
	}
	return c
}
