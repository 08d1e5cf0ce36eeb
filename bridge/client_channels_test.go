package bridge

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// A channelsClient is a Client with ClientChannels and what it has got.
type channelsClient struct {
	Client
	out, err bytes.Buffer
	status   []ProgramStatus
}

func newChannelsClient(input string) *channelsClient {
	c := new(channelsClient)
	c.Client = Client{Stdin: strings.NewReader(input), Stdout: &c.out, Linger: -1, Framing: ClientChannels{
		Stderr: &c.err,
		Ended:  func(s ProgramStatus) { c.status = append(c.status, s) },
	}}
	return c
}

// The streams of a program come apart, it gets the end of the input, and how it ended is
// told once, over each kind of connection.
func TestClientChannels(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		child    []string
		input    string
		out, err string
		status   ProgramStatus
		code     int
	}{
		{[]string{"count"}, "a\nb\nc", "", "2 lines, 5 bytes\n", ProgramStatus{}, 1000},
		{[]string{"say", "1out\n", "2err\n", "1\xff"}, "", "out\n\xff", "err\n", ProgramStatus{}, 1000},
		{[]string{"exit", "3"}, "", "", "", ProgramStatus{3, "exit status 3"}, 4003},
		{[]string{"suicide", "9"}, "", "", "", ProgramStatus{-1, "signal: killed"}, 4137},
	} {
		for name, again := range map[string]*Reconnect{"once": nil, "resume": {Resume: true}, "reconnect": {}} {
			h := child(&Handler{Framing: Channels{}}, test.child[0], test.child[1:]...)
			if again != nil && again.Resume {
				h.Hosting = Resume{For: time.Minute}
			}
			c := newChannelsClient(test.input)
			c.Reconnect = again
			end, err := c.Run(t.Context(), serve(t, h).URL)
			if err != nil || end.Code != test.code || c.out.String() != test.out || c.err.String() != test.err || !slices.Equal(c.status, []ProgramStatus{test.status}) {
				t.Errorf("%q, %s: %q, %q, %v, %v, %v", test.child, name, c.out.String(), c.err.String(), c.status, end, err)
			}
		}
	}
}

// A server that does not send channels is left, before the first message or at it.
func TestClientChannelsNotSpoken(t *testing.T) {
	t.Parallel()
	for _, again := range []*Reconnect{nil, {}} {
		c := newChannelsClient("")
		c.Reconnect = again
		if _, err := c.Run(t.Context(), serve(t, child(&Handler{Framing: Chunks{}, Subprotocols: []string{"own"}}, "echo")).URL); !errors.Is(err, ErrNoChannels) {
			t.Error(err)
		}
	}
	for _, framing := range []Framing{Chunks{}, nil} {
		c := newChannelsClient("hello\n")
		c.Reconnect = &Reconnect{Resume: true}
		_, err := c.Run(t.Context(), serve(t, child(&Handler{Framing: framing, Hosting: Resume{For: time.Minute}}, "say", "1hello\n")).URL)
		if !errors.Is(err, ErrNoChannels) || c.out.Len() > 0 {
			t.Errorf("%q, %v", c.out.String(), err)
		}
	}
}

// The sizes of a terminal are sent until the input ends, each as a message.
func TestClientChannelsSizes(t *testing.T) {
	t.Parallel()
	var frames atomic.Int32
	nc := &wiretest.Conn{}
	sizes, asked := make(chan TerminalSize, 2), make(chan struct{})
	sizes <- TerminalSize{80, 24}
	sizes <- TerminalSize{100, 30}
	nc.OnSend = func() {
		if frames.Add(1) == 2 {
			close(asked)
		}
	}
	s := accepted(t, ClientChannels{Sizes: sizes}, wire.Options{}, nc, nil, readerAfter{asked, strings.NewReader("typed")}, discard{})
	own := s.far.(*ownStreams)
	if cause := own.pump(t.Context(), s, s.link.NewBatch()); cause != errInputDone {
		t.Error(cause)
	}
	var got []string
	for _, f := range sentFrames(t, nc.Sent()) {
		got = append(got, string(f.payload))
	}
	if want := []string{"\x04{\"Width\":80,\"Height\":24}", "\x04{\"Width\":100,\"Height\":30}", "\x00typed", "\xff\x00"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A session that is asked to end does not end the program's input.
func TestClientChannelsLeft(t *testing.T) {
	t.Parallel()
	nc := &wiretest.Conn{}
	over := make(chan struct{})
	defer close(over)
	s := accepted(t, ClientChannels{}, wire.Options{}, nc, nil, readerAfter{over, strings.NewReader("")}, discard{})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errGoingAway)
	if cause := s.far.pump(ctx, s, s.link.NewBatch()); cause != error(errGoingAway) || len(nc.Sent()) > 0 {
		t.Errorf("%v, %q was sent", cause, nc.Sent())
	}
}

// readerAfter reads when a channel is closed.
type readerAfter struct {
	ready chan struct{}
	from  *strings.Reader
}

func (r readerAfter) Read(p []byte) (int, error) {
	<-r.ready
	return r.from.Read(p)
}

func TestProgramStatus(t *testing.T) {
	for text, want := range map[string]ProgramStatus{
		`{"metadata":{},"status":"Success"}`: {},
		channelExit3[1:]:                     {3, "exit status 3"},
		channelKilled[1:]:                    {-1, "signal: killed"},
		`{"status":"Failure","details":{"causes":[{"reason":"Other","message":"7"},{"reason":"ExitCode","message":"2"}]}}`:     {2, ""},
		`{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"0"}]}}`:                                      {-1, ""},
		`{"status":"Failure","message":"no","details":{"causes":[{"reason":"ExitCode","message":"256"}]},"code":500,"more":1}`: {-1, "no"},
	} {
		if got, ok := parseStatus([]byte(text)); !ok || got != want {
			t.Errorf("%s: %v, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "{}", `{"status":"Running"}`, `{"status":1}`, "Success", `{"status":"Failure","details":{"causes":1}}`} {
		if got, ok := parseStatus([]byte(text)); ok {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Whatever a server sends, wherever it is cut, the output is the payloads of channel 1.
func TestClientChannelsCut(t *testing.T) {
	messages := []string{"\x01one", "", "\x02", "\x01", "\x02complaint", "\x03", channelSuccess, channelExit3, "\x01" + strings.Repeat("long", 50)}
	var in []byte
	for _, m := range messages {
		in = append(in, binaryMessage(m)...)
	}
	in = append(in, closing(1000, "")...)
	for at := range min(len(in), 255) {
		c, to := newChannelsClient(""), &testSink{}
		s, _ := inMemory(t, c.Framing, 1<<16, bytes.Clone(in), []byte{byte(at), 255, 255}, to)
		receiveAll(s)
		s.far.end(nil, s.draining, s.killed)
		if got := to.has(); got != "one"+strings.Repeat("long", 50) || c.err.String() != "complaint" || !slices.Equal(c.status, []ProgramStatus{{}}) {
			t.Fatalf("cut at %d: %q, %q, %v", at, got, c.err.String(), c.status)
		}
	}
}

// What comes from a server is output, or what it is said to be, or ends the session; no
// message that is output allocates.
func FuzzClientChannels(f *testing.F) {
	for _, m := range []string{"", "\x00", "\x01output", "\x02error", channelSuccess, channelExit3, channelKilled, "\x03{", "\x04", "\xff"} {
		f.Add([]byte(m), true)
	}
	f.Add([]byte("\x01text"), false)
	f.Fuzz(func(t *testing.T, message []byte, isBinary bool) {
		kind := wire.Text
		if isBinary {
			kind = wire.Binary
		}
		c := newChannelsClient("")
		codec := c.Framing.newCodec()
		batch, do, err := codec.feed(append([]byte("before"), message...), len("before"), kind)
		switch {
		case !isBinary, len(message) > 0 && (message[0] < stdoutChannel || message[0] > statusChannel):
			if err != errNoChannel {
				t.Errorf("%q: %v", message, err)
			}
			return
		case err != nil:
			t.Errorf("%q: %v", message, err)
		case do != nil:
			do(nil)
		}
		errs := codec.(moreStreams).besides()
		errs.finish()
		<-errs.done
		want := [4]string{}
		if len(message) > 0 {
			want[message[0]] = string(message[1:])
		}
		if string(batch) != "before"+want[stdoutChannel] || c.err.String() != want[stderrChannel] {
			t.Errorf("%q becomes %q and %q", message, batch, c.err.String())
		}
		for _, s := range c.status {
			if s.Exit < -1 || s.Exit > 255 || want[statusChannel] == "" {
				t.Errorf("%q becomes %v", message, s)
			}
		}
	})
}
