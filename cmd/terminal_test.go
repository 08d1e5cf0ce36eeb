package cmd

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
)

// What the flags for terminals refuse, and what they mean.
func TestTerminalFlags(t *testing.T) {
	for _, test := range []struct{ flags, want string }{
		{"--unbuffer --pty", "--unbuffer cannot be combined with --pty"},
		{"--ptysize=80x24", "--ptysize needs --pty"},
		{"--passstderr --pty", "--passstderr cannot be combined with --pty"},
		{"--pty --ptysize=80", "must be COLUMNSxROWS"},
		{"--pty --ptysize=0x24", "must be COLUMNSxROWS"},
		{"--pty --ptysize=80x1001", "must be COLUMNSxROWS"},
	} {
		if _, _, status, stderr := parse(append(strings.Fields(test.flags), "child")...); status != 2 || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: %d, %s", test.flags, status, stderr)
		}
	}
	for _, flag := range []string{"--unbuffer", "--pty"} {
		if _, _, status, stderr := parse(flag, "child"); runtime.GOOS == "windows" && (status != 2 || !strings.Contains(stderr, "Windows")) {
			t.Errorf("%s: %d, %s", flag, status, stderr)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	o, _, _, _ := parse("--pty", "--ptysize=132x43", "child")
	h := bridgeOf(o)
	if h.Terminal != (bridge.Terminal)(bridge.Pty{Columns: 132, Rows: 43}) || h.Framing != (bridge.Framing)(bridge.Chunks{}) {
		t.Errorf("%+v, %+v", h.Terminal, h.Framing)
	}
	for flags, want := range map[string]int{"--pty": terminalBuffer, "--pty --resumebuffer=2MiB": 2 << 20, "--binary": bridge.DefaultBuffer} {
		o, _, _, _ = parse(append(strings.Fields(flags), "--resume=1m", "child")...)
		if got := bridgeOf(o).Hosting; got != (bridge.Hosting)(bridge.Resume{For: time.Minute, Buffer: want}) {
			t.Errorf("%s: %+v", flags, got)
		}
	}
	o, _, _, _ = parse("--pty", "--framing=channels", "child")
	if h := bridgeOf(o); h.Framing != (bridge.Framing)(bridge.Channels{}) {
		t.Errorf("%+v", h.Framing)
	}
}
