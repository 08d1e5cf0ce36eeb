package bridge

import "github.com/wsbridge/wsbridge/bridge/internal/wire"

// An inbox gathers the messages that come together into a batch, as the program
// reads them, and gives the batch on before the socket is waited for. It is
// owned by the goroutine that receives.
type inbox struct {
	codec   codec
	give    func(batch []byte)         // takes a batch over
	act     func(action)               // takes an action
	arrived func(begun, complete bool) // is told before each wait what has come, if anything; may be nil
	refused func(error)                // is told of a message that the framing does not allow

	batch    []byte
	passed   int  // bytes of batch that were given
	complete int  // bytes of batch that are whole messages
	filling  bool // a message is being read into batch
	closed   bool // a message was refused: nothing is taken any more
	news     bool // a message has come since the last wait
}

// Room lends room in the batch. A message in the middle of which it must be made
// larger moves, and what was given meanwhile makes room.
func (in *inbox) Room(message []byte, n int) []byte {
	if !in.filling && cap(in.batch)-len(in.batch) <= n { // with a byte that ends it
		in.flush()
	}
	in.filling = true
	if in.batch == nil {
		in.batch = wire.GetLarge()
	}
	in.batch = in.batch[:in.complete+len(message)]
	if cap(in.batch)-len(in.batch) < n && in.passed > 0 {
		rest := copy(in.batch, in.batch[in.passed:])
		in.batch, in.complete, in.passed = in.batch[:rest], in.complete-in.passed, 0
	}
	if cap(in.batch)-len(in.batch) < n {
		grown := make([]byte, len(in.batch), max(2*cap(in.batch), len(in.batch)+n))
		copy(grown, in.batch)
		wire.PutBuffer(in.batch)
		in.batch = grown
	}
	return in.batch[in.complete:]
}

// Message takes the message that is in the batch behind the complete ones.
func (in *inbox) Message(kind wire.Kind, payload []byte, whole bool) {
	in.filling, in.news = false, true
	if in.closed {
		return
	}
	in.batch = in.batch[:in.complete+len(payload)]
	var asked action
	var err error
	if whole {
		in.batch, asked, err = in.codec.feed(in.batch, in.complete, kind)
	}
	if err != nil {
		in.batch, in.closed = in.batch[:in.complete], true
		in.refused(err)
		return
	}
	in.complete = len(in.batch)
	if in.complete >= wire.LargeBuffer || asked != nil {
		in.flush()
	}
	if asked != nil {
		in.act(asked)
	}
}

// Wait gives on what there is.
func (in *inbox) Wait(begun bool) {
	if in.arrived != nil && (begun || in.news) {
		in.arrived(begun, in.news)
	}
	in.news = false
	in.flush()
}

// flush gives on the complete messages of the batch. It is called in the middle
// of a message too, whose bytes must stay where they are.
func (in *inbox) flush() {
	if in.passed < in.complete {
		in.give(in.batch[in.passed:in.complete])
		in.passed = in.complete
	}
	if in.batch != nil && in.passed == len(in.batch) && !in.filling {
		wire.PutBuffer(in.batch)
		in.batch, in.complete, in.passed = nil, 0, 0
	}
}

// end gives on what there is, and forgets a message that has not come whole.
func (in *inbox) end() {
	in.filling = false
	in.batch = in.batch[:in.complete]
	in.flush()
}
