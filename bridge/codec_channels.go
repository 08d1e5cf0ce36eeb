package bridge

import (
	"encoding/json"
	"strconv"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// Channels sends and takes each of the program's streams by itself, as Kubernetes does
// for kubectl exec. The first byte of each message, which is binary, names the channel.
// The client sends standard input on 0, the size of the terminal on 4, and the number of
// a channel that it closes on 255: 0 is the end of the input. It gets standard output on
// 1, standard error on 2, which is reported as events too, and on 3, at the end, how the
// program ended. What comes on other channels is dropped, and text ends the session with
// 1003. A client that offers v5.channel.k8s.io or v4.channel.k8s.io gets that. For a
// Client there is ClientChannels.
type Channels struct{}

func (Channels) newCodec() codec { return &channelsCodec{} }

func (Channels) protocols() []string { return []string{channelsProtocol, "v4.channel.k8s.io"} }

type channelsCodec struct{}

// The channels.
const (
	stdinChannel  = 0
	stdoutChannel = 1
	stderrChannel = 2
	statusChannel = 3
	sizeChannel   = 4
	closeChannel  = 255
)

var errIsText = Ending{1003, "message is text, not binary"}

func (*channelsCodec) withStderr() bool { return true }
func (*channelsCodec) inPieces() bool   { return false } // its first byte says what it is

func (*channelsCodec) feed(batch []byte, start int, kind wire.Kind) ([]byte, action, error) {
	if kind != wire.Binary {
		return batch, nil, errIsText
	}
	message := batch[start:]
	if len(message) == 0 {
		return batch, nil, nil
	}
	switch payload := message[1:]; message[0] {
	case stdinChannel:
		return batch[:start+copy(message, payload)], nil, nil
	case sizeChannel:
		return batch[:start], resizing(payload), nil
	case closeChannel:
		if len(payload) == 1 && payload[0] == stdinChannel {
			return batch[:start], (*job).endInput, nil
		}
	}
	return batch[:start], nil, nil
}

// resizing is the action that a message with the size of a terminal asks for; nil if it
// is none.
func resizing(message []byte) action {
	var size struct{ Width, Height uint16 }
	if json.Unmarshal(message, &size) != nil || size.Width == 0 || size.Height == 0 {
		return nil
	}
	return func(j *job) { j.resize(size.Width, size.Height) }
}

func (*channelsCodec) cut(d *delivery, s *stream, _ bool) error {
	if len(s.data()) == 0 {
		return nil
	}
	channel := byte(stdoutChannel)
	if s.name == "stderr" {
		channel = stderrChannel
	}
	return cutChannel(d, s, channel)
}

// cutChannel sends what a stream has brought on a channel.
func cutChannel(d *delivery, s *stream, channel byte) error {
	payload := s.buf[wire.HeaderRoom-1:] // the room before the data has a byte for it
	payload[0] = channel
	err := d.add(wire.Binary, payload, true)
	s.keep(nil)
	return err
}

// A channelStatus is what Kubernetes says of the end of a program (metav1.Status).
type channelStatus struct {
	Metadata struct{}        `json:"metadata"`
	Status   string          `json:"status"`
	Message  string          `json:"message,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Details  *channelDetails `json:"details,omitempty"`
}

type channelDetails struct {
	Causes []channelCause `json:"causes"`
}

type channelCause struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// lastWord tells how the program has ended. Only an exit has a reason, which a client
// expects to have details.
func (*channelsCodec) lastWord(d *delivery, state process.State) error {
	status := channelStatus{Status: "Success"}
	if state != (process.State{}) {
		status = channelStatus{Status: "Failure", Message: state.String()}
		if state.Signal == 0 {
			status.Reason = "NonZeroExitCode"
			status.Details = &channelDetails{[]channelCause{{"ExitCode", strconv.Itoa(state.Status)}}}
		}
	}
	text, err := json.Marshal(status)
	if err != nil {
		return err
	}
	return d.add(wire.Binary, append([]byte{statusChannel}, text...), true)
}
