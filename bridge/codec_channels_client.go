package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// ClientChannels is the other end of Channels: the Framing of a Client whose server sends
// and takes the streams of a program one by one. Stdin is the program's input and ends it,
// and Stdout gets its output. The Client offers v5.channel.k8s.io.
type ClientChannels struct {
	// Stderr gets the program's standard error; nil discards it.
	Stderr io.Writer

	// Sizes are those of a terminal, for the server to give to the program's. Nil is none.
	Sizes <-chan TerminalSize

	// Ended, if not nil, is told how the program has ended, before Run returns.
	Ended func(ProgramStatus)
}

// A TerminalSize is how many characters a terminal has room for.
type TerminalSize struct {
	Columns int `json:"Width"`
	Rows    int `json:"Height"`
}

// A ProgramStatus is how a program has ended, as a server says that speaks Channels.
type ProgramStatus struct {
	Exit    int    // the exit status; -1 for another failure
	Message string // of a failure
}

// ErrNoChannels is the error of a Client with ClientChannels, at a server that does not
// select v5.channel.k8s.io. With Reconnect.Resume the subprotocol is another one; there the
// first message tells, which is on no channel.
var ErrNoChannels = errors.New("the server does not send the streams of its program one by one")

// errNoChannel is what a server is told that does not speak channels.
var errNoChannel = Ending{1003, "message is on no channel"}

const channelsProtocol = "v5.channel.k8s.io"

func (f ClientChannels) protocols() []string { return []string{channelsProtocol} }

// agrees reports whether a connection with this subprotocol may speak it.
func (f ClientChannels) agrees(selected string) bool {
	return selected == channelsProtocol || selected == countingProtocol
}

func (f ClientChannels) newCodec() codec {
	c := &clientChannelsCodec{ClientChannels: f}
	c.errors.init(writerSink{orDiscard(f.Stderr)}, DefaultBuffer, &c.writers, func(error) {})
	return c
}

// A clientChannelsCodec is a client's end of channels. What it does beside reading and
// writing is docked by moreStreams.
type clientChannelsCodec struct {
	ClientChannels
	errors  feed
	writers sync.WaitGroup // its feeder, for which nobody waits
	told    bool           // how the program has ended
	strange atomic.Bool    // a message has come that is on no channel
}

func (*clientChannelsCodec) withStderr() bool { return false }
func (*clientChannelsCodec) inPieces() bool   { return false } // its first byte says what it is

func (c *clientChannelsCodec) feed(batch []byte, start int, kind wire.Kind) ([]byte, action, error) {
	message := batch[start:]
	if kind == wire.Binary && len(message) == 0 {
		return batch, nil, nil
	}
	if kind != wire.Binary || message[0] < stdoutChannel || message[0] > statusChannel {
		c.strange.Store(true)
		return batch, nil, errNoChannel
	}
	switch payload := message[1:]; message[0] {
	case stdoutChannel:
		return batch[:start+copy(message, payload)], nil, nil
	case stderrChannel:
		if len(payload) == 0 {
			return batch[:start], nil, nil
		}
		payload = append([]byte(nil), payload...)
		return batch[:start], func(*job) { c.errors.write(payload) }, nil // behind the output so far
	default:
		c.tell(payload)
		return batch[:start], nil, nil
	}
}

// tell tells how the program has ended. Kubernetes sends an empty message first.
func (c *clientChannelsCodec) tell(message []byte) {
	status, ok := parseStatus(message)
	if c.told || !ok {
		return
	}
	c.told = true
	if c.Ended != nil {
		c.Ended(status)
	}
}

// parseStatus reads a channelStatus.
func parseStatus(message []byte) (s ProgramStatus, ok bool) {
	var status channelStatus
	if json.Unmarshal(message, &status) != nil {
		return s, false
	}
	switch status.Status {
	case "Success":
		return s, true
	case "Failure":
	default:
		return s, false
	}
	s = ProgramStatus{Exit: -1, Message: status.Message}
	if status.Details == nil {
		return s, true
	}
	for _, cause := range status.Details.Causes {
		if cause.Reason != "ExitCode" {
			continue
		}
		if n, err := strconv.ParseUint(cause.Message, 10, 8); err == nil && n > 0 {
			s.Exit = int(n)
		}
	}
	return s, true
}

func (*clientChannelsCodec) cut(d *delivery, s *stream, _ bool) error {
	if len(s.data()) == 0 {
		return nil
	}
	channel := byte(stdinChannel)
	if s.name == sizesName {
		channel = sizeChannel
	}
	return cutChannel(d, s, channel)
}

func (c *clientChannelsCodec) beside(ctx context.Context) source {
	if c.Sizes == nil {
		return nil
	}
	return sizeSource{ctx, c.Sizes}
}

func (c *clientChannelsCodec) inputEnded() []byte { return []byte{closeChannel, stdinChannel} }

func (c *clientChannelsCodec) besides() *feed { return &c.errors }

func (c *clientChannelsCodec) failure() error {
	if c.strange.Load() {
		return ErrNoChannels
	}
	return nil
}

// sizesName is the name of the stream of a terminal's sizes.
const sizesName = "sizes"

// A sizeSource brings the sizes of a terminal, one a read.
type sizeSource struct {
	ctx   context.Context
	sizes <-chan TerminalSize
}

func (s sizeSource) ReadTo(take func() []byte, drop func()) (int, error) {
	drop()
	select {
	case size, ok := <-s.sizes:
		if !ok {
			return 0, io.EOF
		}
		text, err := json.Marshal(size)
		return copy(take(), text), err
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	}
}
