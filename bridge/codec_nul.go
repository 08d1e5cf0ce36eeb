package bridge

import "github.com/wsbridge/wsbridge/bridge/internal/wire"

// Nul makes a text message of each record that the program writes with a NUL
// behind it, as find -print0 and jq --raw-output0 do, and a record of each message
// for it. A newline in a record is data, and a last record needs no NUL. A NUL in
// a message passes as it is.
type Nul struct{}

func (Nul) newCodec() codec { return nulCodec{} }

type nulCodec struct{}

func (nulCodec) withStderr() bool { return false }
func (nulCodec) inPieces() bool   { return true }

func (nulCodec) feed(batch []byte, _ int, _ wire.Kind) ([]byte, action, error) {
	return append(batch, 0), nil, nil
}

func (nulCodec) cut(d *delivery, s *stream, atEOF bool) error { return records(0).cut(d, s, atEOF) }
