package cmd

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wsbridge/wsbridge/bridge"
)

func TestPtyFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"--pty ws://h", ""},
		{"--pty --resume --framing=channels ws://h", ""},
		{"--pty --framing=lines ws://h", "--pty needs --framing=channels"},
		{"--pty --binary ws://h", "--pty needs --framing=channels"},
		{"--pty --reconnect ws://h", "--reconnect, which would type into another session"},
		{"--pty --timestamps ws://h", "--timestamps cannot be combined with --pty"},
		{"--pty ws://h -- cat", "--pty cannot be combined with a COMMAND"},
		{"--framing=channels ws://h -- cat", "--framing=channels cannot be combined with a COMMAND"},
	} {
		_, o, status, stderr := parse(append([]string{"connect"}, strings.Fields(test.args)...)...)
		if (status == 0) != (test.want == "") || !strings.Contains(stderr, test.want) || status == 0 && !o.pty {
			t.Errorf("%s: %d, %s", test.args, status, stderr)
		}
	}
}

// The size is added to a URL that has none, and the rest stays as it is written.
func TestWithSize(t *testing.T) {
	t.Parallel()
	size := bridge.TerminalSize{Columns: 80, Rows: 2400}
	for url, want := range map[string]string{
		"ws://h":                      "ws://h?cols=80&rows=1000",
		"ws://h/a?":                   "ws://h/a?cols=80&rows=1000",
		"ws://h/a?b=c%20d;e&":         "ws://h/a?b=c%20d;e&cols=80&rows=1000",
		"ws://h/?b&c=%zz#f?g":         "ws://h/?b&c=%zz&cols=80&rows=1000#f?g",
		"ws+unix:///run/s:/p?a=1":     "ws+unix:///run/s:/p?a=1&cols=80&rows=1000",
		"ws://h/?rows=5":              "",
		"ws://h/?a=b&cols=7&rows=5#x": "",
		"ws://h/?discos=1&narrows=2":  "ws://h/?discos=1&narrows=2&cols=80&rows=1000",
	} {
		if got, ok := withSize(url, size); ok != (want != "") || ok && got != want || !ok && got != url {
			t.Errorf("%s: %s, %t", url, got, ok)
		}
	}
}

// The status on a channel counts where the close code says nothing.
func TestChannelsVerdict(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status *bridge.ProgramStatus
		code   int
		want   string // of the error; "-": the close code decides
	}{
		{nil, 1000, "-"},
		{&bridge.ProgramStatus{}, 1000, ""},
		{&bridge.ProgramStatus{}, 1006, ""},
		{&bridge.ProgramStatus{Exit: 3}, 1005, "exit status 3"},
		{&bridge.ProgramStatus{Exit: 3}, 4004, "-"},
		{&bridge.ProgramStatus{Exit: 3}, 1001, "-"},
		{&bridge.ProgramStatus{Exit: -1}, 1000, "the program has failed"},
		{&bridge.ProgramStatus{Exit: -1, Message: "\x1b[1m"}, 1000, `the program has failed: "\x1b[1m"`},
	} {
		var e channelsEnd
		e.status.Store(test.status)
		err, ok := e.verdict(bridge.Ending{Code: test.code})
		got := "-"
		if ok {
			got = ""
		}
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%v, %d: %s, want %s", test.status, test.code, got, test.want)
		}
	}
}

// Ctrl-] leaves, however much was typed that the server does not take.
func TestLeaveBehindALotTyped(t *testing.T) {
	lots := iotest.OneByteReader(strings.NewReader(strings.Repeat("x", 2*mostTyped) + "\x1d"))
	left := make(chan struct{})
	k := &keyboard{from: lots, leave: func() { close(left) }}
	if _, err := k.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	<-left
}

// What is typed before Ctrl-] is sent, and nothing ends the input then.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	k := &keyboard{from: strings.NewReader("typed\x1dmore"), leave: func() { close(left) }}
	got := make([]byte, 2)
	text := ""
	for text != "typed" {
		n, err := k.Read(got)
		if err != nil {
			t.Fatal(err)
		}
		text += string(got[:n])
	}
	<-left
	broken := errors.New("broken")
	k = &keyboard{from: io.MultiReader(strings.NewReader("end"), readerOf(func([]byte) (int, error) { return 0, broken }))}
	if text, err := io.ReadAll(k); string(text) != "end" || err != broken {
		t.Errorf("%q, %v", text, err)
	}
}

type readerOf func([]byte) (int, error)

func (f readerOf) Read(p []byte) (int, error) { return f(p) }
