package bridge

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

func binaryMessage(s string) []byte { return appendFrame(nil, finBit|opBinary, []byte(s), true) }

const (
	channelSuccess = "\x03" + `{"metadata":{},"status":"Success"}`
	channelExit3   = "\x03" + `{"metadata":{},"status":"Failure","message":"exit status 3","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}`
	channelKilled  = "\x03" + `{"metadata":{},"status":"Failure","message":"signal: killed"}`
)

// byChannel puts together what came on each channel, and returns the last message too.
func byChannel(messages []string) (all [4]string, last string) {
	for _, m := range messages {
		all[m[0]] += m[1:]
		last = m
	}
	return all, last
}

// Each stream comes on its channel, the log has standard error too, and how the program
// ended comes behind all.
func TestChannels(t *testing.T) {
	for _, test := range []struct {
		child   []string
		out     string
		err     string
		status  string
		ending  Ending
		message string // from the client
	}{
		{[]string{"say", "1out\n", "2err\n", "1\xff"}, "out\n\xff", "err\n", channelSuccess, Ending{Code: 1000}, ""},
		{[]string{"exit", "3"}, "", "", channelExit3, Ending{4003, "exit status 3"}, ""},
		{[]string{"suicide", "9"}, "", "", channelKilled, Ending{4137, "signal: killed"}, ""},
		{[]string{"count"}, "", "2 lines, 5 bytes\n", channelSuccess, Ending{Code: 1000}, "a\nb\nc"},
	} {
		h := child(&Handler{Framing: Channels{}}, test.child[0], test.child[1:]...)
		events := record(t, h)
		p := connect(t, serve(t, h))
		if test.message != "" {
			p.write(slices.Concat(binaryMessage("\x00"+test.message), binaryMessage("\x00"), binaryMessage("\xff\x00")))
		}
		messages, end := p.closed()
		all, last := byChannel(messages)
		if all[1] != test.out || all[2] != test.err || last != test.status || end != test.ending {
			t.Errorf("%q: %q, closed with %v", test.child, messages, end)
		}
		if test.err != "" {
			events.wait(an[Stderr](func(e Stderr) bool { return e.Line+"\n" == test.err }))
		}
	}
}

// What is not for a channel that the server knows is dropped; text ends the session.
func TestChannelsOfTheClient(t *testing.T) {
	p := connect(t, serve(t, child(&Handler{Framing: Channels{}}, "echo")))
	p.write(slices.Concat(binaryMessage(""), binaryMessage("\x01one"), binaryMessage("\x02two"), binaryMessage("\x03{}"), binaryMessage("\x07x"),
		binaryMessage("\xff\x01"), binaryMessage("\xff"), binaryMessage("\xff\x00\x00"), binaryMessage("\x04"), binaryMessage("\x04{}"),
		binaryMessage(``+"\x04"+`{"Width":80,"Height":24}`), binaryMessage("\x00yes")))
	if got := p.message(); got != "\x01yes" {
		t.Errorf("got %q", got)
	}
	p.write(text("\x00text"))
	if _, end := p.closed(); end != errIsText {
		t.Errorf("closed with %v", end)
	}
}

// The framing's subprotocols are selected when they are offered, before those of the
// program, and behind that of clients that count.
func TestChannelsSubprotocol(t *testing.T) {
	for _, test := range []struct {
		framing       Framing
		hosting       Hosting
		offered, want string
		toProgram     string
	}{
		{Channels{}, nil, "v4.channel.k8s.io, v5.channel.k8s.io", "v5.channel.k8s.io", ""},
		{Channels{}, nil, "own, v4.channel.k8s.io", "v4.channel.k8s.io", ""},
		{Channels{}, nil, "channel.k8s.io, own", "own", "own"},
		{ReadOnly{Channels{}}, nil, "own, v5.channel.k8s.io", "v5.channel.k8s.io", ""},
		{Channels{}, Share{}, "v5.channel.k8s.io, wsbridge.v1", "wsbridge.v1", ""},
		{nil, nil, "own, v5.channel.k8s.io", "own", "own"},
	} {
		h := &Handler{Framing: test.framing, Hosting: test.hosting, Subprotocols: []string{"own"}}
		r := upgradeRequest()
		r.Header.Set("Sec-Websocket-Protocol", test.offered)
		a := h.admission(r)
		if test.hosting != nil {
			a.visit = new(visit)
		}
		if got := a.subprotocol(); got != test.want {
			t.Errorf("%q: %q is selected, want %q", test.offered, got, test.want)
		}
		if got := a.programProtocol(); got != test.toProgram {
			t.Errorf("%q: the program is told %q, want %q", test.offered, got, test.toProgram)
		}
	}
	srv := serve(t, child(&Handler{Framing: Channels{}}, "exit", "0"))
	p := dial(t, srv.Listener.Addr().String())
	io.WriteString(p, handshakeFor(srv, "/", "Sec-WebSocket-Protocol: v5.channel.k8s.io"))
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil || resp.Header.Get("Sec-Websocket-Protocol") != "v5.channel.k8s.io" {
		t.Errorf("%v, %v", resp, err)
	}
	if got := p.message(); got != channelSuccess {
		t.Errorf("got %q", got)
	}
}

// A shared program's input is not for one client to end, and the end of a run after
// which the program starts again is not told.
func TestChannelsShared(t *testing.T) {
	srv := serve(t, child(&Handler{Framing: Channels{}, Hosting: Share{}}, "ask", "name"))
	p := connect(t, srv)
	if got := p.message(); got != "\x01name\n" {
		t.Errorf("got %q", got)
	}
	p.write(slices.Concat(binaryMessage("\xff\x00"), binaryMessage("\x00name\n")))
	messages, end := p.closed()
	if _, last := byChannel(messages); !strings.Contains(last, `"exit status 42"`) || end.Code != 4042 {
		t.Errorf("%q, closed with %v", messages, end)
	}

	again := connect(t, serve(t, child(&Handler{Framing: Channels{}, Hosting: Share{Restart: true}}, "say", "1a")))
	for range 2 {
		if got := again.message(); got != "\x01a" {
			t.Errorf("got %q", got)
		}
	}
}

// With a key the end of the input and the status belong to the session.
func TestChannelsResumed(t *testing.T) {
	srv := serve(t, child(&Handler{Framing: Channels{}, Hosting: Resume{}}, "count"))
	p := connectAt(t, srv, srv.Listener.Addr().String(), handshakeFor(srv, "/?resume="+strings.Repeat("k", minKey)))
	p.write(slices.Concat(binaryMessage("\x00one\n"), binaryMessage("\xff\x00")))
	messages, end := p.closed()
	all, last := byChannel(messages)
	if all[2] != "1 lines, 4 bytes\n" || last != channelSuccess || end.Code != codeNormal {
		t.Errorf("%q, closed with %v", messages, end)
	}
}

// channelInput are the bytes that a client's messages give the program.
func channelInput(messages []string) (input string) {
	for _, m := range messages {
		if strings.HasPrefix(m, "\x00") {
			input += m[1:]
		}
	}
	return input
}

// Whatever a client sends, wherever it is cut, the program has the payloads of channel 0.
func TestChannelsCut(t *testing.T) {
	messages := []string{"\x00one", "", "\x01no", "\x00", "\x00two\n", "\x04{\"Width\":1,\"Height\":2}", "\xff\x01", "\x00" + strings.Repeat("long", 50)}
	var in []byte
	for _, m := range messages {
		in = append(in, binaryMessage(m)...)
	}
	in = append(in, closing(1000, "")...)
	for at := range min(len(in), 255) {
		to := &testSink{}
		s, _ := inMemory(t, Channels{}, 1<<16, bytes.Clone(in), []byte{byte(at), 255, 255}, to)
		receiveAll(s)
		if got := to.has(); got != channelInput(messages) {
			t.Fatalf("cut at %d: %q, want %q", at, got, channelInput(messages))
		}
	}
}

// A program's output is the same whatever a read brings.
func TestChannelsOutputCut(t *testing.T) {
	const output = "one\r\ntwo\x00\xff"
	for at := range len(output) + 1 {
		got := cutOf(t, Channels{}, output, at)
		if all, _ := byChannel(got.messages); all[1] != output || got.err != nil {
			t.Errorf("cut at %d: %s", at, got)
		}
	}
}

// No message allocates, in either direction, but those that change the terminal.
func TestChannelsAllocateNothing(t *testing.T) {
	codec := Channels{}.newCodec()
	batch := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(1000, func() {
		for _, m := range []string{"\x00input", "\xff\x01", "\x09x"} {
			if _, _, err := codec.feed(append(batch[:0], m...), 0, wire.Binary); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations a message from the client", n)
	}
	d := &delivery{codec: codec, batch: new(wire.Batch), out: nowhere{}}
	s := &stream{name: "stderr", buf: make([]byte, wire.HeaderRoom, wire.LargeBuffer)}
	if n := testing.AllocsPerRun(1000, func() {
		s.buf = append(s.buf, "output"...)
		if err := d.cut(s, false); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a message to the client", n)
	}
}

// nowhere is an outlet.
type nowhere struct{}

func (nowhere) Send(*wire.Batch) error { return nil }

// What a client sends is its input, or nothing; nothing panics.
func FuzzChannels(f *testing.F) {
	for _, m := range []string{"", "\x00", "\x00input", "\x04{\"Width\":80,\"Height\":24}", "\x04{\"Width\":-1}", "\xff\x00", "\xff", "\x01x"} {
		f.Add([]byte(m), true)
	}
	f.Add([]byte("\x00text"), false)
	f.Fuzz(func(t *testing.T, message []byte, isBinary bool) {
		kind := wire.Text
		if isBinary {
			kind = wire.Binary
		}
		batch, do, err := Channels{}.newCodec().feed(append([]byte("before"), message...), len("before"), kind)
		if !isBinary {
			if err != errIsText {
				t.Error(err)
			}
			return
		}
		if err != nil || string(batch) != "before"+channelInput([]string{string(message)}) {
			t.Errorf("%q becomes %q, %v", message, batch, err)
		}
		if do != nil && (len(message) < 2 || message[0] != sizeChannel && string(message) != "\xff\x00") {
			t.Errorf("%q is an action", message)
		}
	})
}
