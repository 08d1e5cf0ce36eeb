package bridge

import "github.com/wsbridge/wsbridge/bridge/internal/wire"

// Chunks makes a binary message of whatever one read of the program's output
// brings, and passes what comes in on as it is.
type Chunks struct{}

func (Chunks) newCodec() codec { return chunkCodec{} }

type chunkCodec struct{}

func (chunkCodec) withStderr() bool { return false }
func (chunkCodec) inPieces() bool   { return true }

func (chunkCodec) feed(batch []byte, _ int, _ wire.Kind) ([]byte, action, error) {
	return batch, nil, nil
}

func (chunkCodec) cut(d *delivery, s *stream, _ bool) error {
	if len(s.data()) == 0 {
		return nil
	}
	if d.batch.Compresses() {
		err := d.add(wire.Binary, s.data(), true)
		s.keep(nil)
		return err
	}
	d.batch.Wrap(wire.Binary, s.buf) // nothing is copied
	err := d.flush()
	s.keep(nil)
	return err
}
