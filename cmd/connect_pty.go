package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"strings"
	"sync/atomic"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// ptyOptions say that connect is a terminal of the program at the server.
type ptyOptions struct {
	pty      bool
	dialURL  string // with the size; empty: as it was given
	channels channelsEnd
}

func (o *ptyOptions) add(flags flagGroup) {
	flags.BoolVar(&o.pty, "pty", false,
		"be a terminal for a wsbridge with --pty --framing=channels, as ssh is: type Ctrl-] to leave; the size is that of this terminal, now and when it changes")
}

func (o *connectOptions) checkPty() error {
	switch {
	case !o.pty:
	case len(o.command) > 0:
		return errors.New("--pty cannot be combined with a COMMAND, which has no terminal")
	case o.isBytes() || o.framing != "" && o.framing != "channels":
		return errors.New("--pty needs --framing=channels, which it implies")
	case o.reconnect:
		return errors.New("--pty cannot be combined with --reconnect, which would type into another session; --resume comes back to the same one")
	case o.timestamps:
		return errors.New("--timestamps cannot be combined with --pty, which has no lines")
	}
	return nil
}

// A channelsEnd is what connect has of a server that sends the streams of a program one by
// one.
type channelsEnd struct {
	status atomic.Pointer[bridge.ProgramStatus] // nil: the server has not told how the program ended
}

// framing is the client's framing.
func (e *channelsEnd) framing(stderr io.Writer, sizes <-chan bridge.TerminalSize) bridge.Framing {
	return bridge.ClientChannels{
		Stderr: stderr,
		Sizes:  sizes,
		Ended:  func(s bridge.ProgramStatus) { e.status.Store(&s) },
	}
}

// verdict is what an ending stands for if the status that came on a channel says more than
// the close code; ok is false if it does not.
func (e *channelsEnd) verdict(end bridge.Ending) (err error, ok bool) {
	status := e.status.Load()
	if status == nil || end.Code != 1000 && end.Code != 1005 && end.Code != 1006 {
		return nil, false
	}
	switch {
	case status.Exit == 0:
		return nil, true
	case status.Exit > 0:
		return exitStatus(status.Exit), true
	case status.Message == "":
		return errors.New("the program has failed"), true
	}
	return fmt.Errorf("the program has failed: %s", printable(status.Message)), true
}

// channelsHint says how to start a server that sends channels.
func (o *connectOptions) channelsHint() string {
	if o.pty {
		return "a wsbridge with --pty --framing=channels does"
	}
	return "a wsbridge with --framing=channels does"
}

// leaveKey is what somebody types to leave: Ctrl-], as in telnet.
const leaveKey = 0x1d

// atTerminal makes the user's terminal one of the program's. leave ends the connection;
// restore must be called when it has ended. The terminal is in raw mode as soon as there
// is a connection.
func (o *connectOptions) atTerminal(c *bridge.Client, trace *bridge.Trace, leave func()) (restore func(), err error) {
	t := terminalOf(o.streams)
	if t == nil {
		return nil, hint.Add(errors.New("--pty needs a terminal on standard input"), "--framing=channels is the same without one")
	}
	var stop func()
	var sizes <-chan bridge.TerminalSize
	size, known := t.size() // one that is not known now may be later
	if url, added := withSize(o.url, size); added {
		if known {
			o.dialURL = url
		}
		sizes, stop = t.sizes()
	}
	o.stderr = remarkWriter{o.stderr, t}
	c.Framing = o.channels.framing(o.stderr, sizes)
	c.Stdin = &keyboard{from: o.stdin, leave: leave}
	screen := &screenWriter{Writer: o.stdout}
	c.Stdout = screen
	c.Linger, c.AnswerTimeout = -1, 0 // it is the server that closes
	release := t.guard(func() {})
	told, said := trace.Connected, false
	trace.Connected = func(r *http.Response) {
		if told != nil {
			told(r)
		}
		if !said {
			said = true
			o.remark("connected; Ctrl-] leaves")
		}
		_ = t.raw()
	}
	return func() {
		if stop != nil {
			stop()
		}
		release()
		if screen.within.Load() && terminalFile(o.stdout) != nil {
			_, _ = io.WriteString(o.stdout, "\n")
		}
	}, nil
}

// withSize adds the size of a terminal to a URL that does not have one. What it has stays
// as it is written.
func withSize(url string, size bridge.TerminalSize) (sized string, ok bool) {
	const most = maxTerminal
	rest, fragment, hasFragment := strings.Cut(url, "#")
	_, query, hasQuery := strings.Cut(rest, "?")
	if values, _ := neturl.ParseQuery(query); values.Has("cols") || values.Has("rows") {
		return url, false
	}
	separator := "?"
	switch {
	case query != "" && !strings.HasSuffix(query, "&"):
		separator = "&"
	case hasQuery:
		separator = ""
	}
	sized = fmt.Sprintf("%s%scols=%d&rows=%d", rest, separator, min(size.Columns, most), min(size.Rows, most))
	if hasFragment {
		sized += "#" + fragment
	}
	return sized, true
}

// mostTyped is how many keys, or pieces of a paste, wait for a server that takes nothing.
const mostTyped = 16 << 10

// A keyboard reads what is typed, also while nobody takes it, until somebody leaves.
type keyboard struct {
	from  io.Reader
	leave func()

	typed chan []byte // nil before the first read
	rest  []byte
	err   error // why typed was closed
}

func (k *keyboard) Read(p []byte) (int, error) {
	if k.typed == nil {
		k.typed = make(chan []byte, mostTyped)
		go k.reads()
	}
	if len(k.rest) == 0 {
		var ok bool
		if k.rest, ok = <-k.typed; !ok {
			return 0, k.err
		}
	}
	n := copy(p, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}

// reads is left to itself when the connection has ended. When somebody leaves there is no
// end of the input, which would be typed at the server.
func (k *keyboard) reads() {
	for {
		buf := make([]byte, 4<<10) // as much as a terminal holds
		n, err := k.from.Read(buf)
		buf = buf[:n]
		at := bytes.IndexByte(buf, leaveKey)
		if at >= 0 {
			buf = buf[:at]
		}
		if len(buf) > 0 {
			select {
			case k.typed <- buf:
			default: // it is lost, as with a terminal that nobody reads: the key to leave must be seen
			}
		}
		switch {
		case at >= 0:
			k.leave()
			return
		case err != nil:
			k.err = err
			close(k.typed)
			return
		}
	}
}

// A screenWriter knows whether the last line is within.
type screenWriter struct {
	io.Writer
	within atomic.Bool // the last line has begun, and not ended
}

func (s *screenWriter) Write(p []byte) (int, error) {
	if len(p) > 0 {
		s.within.Store(p[len(p)-1] != '\n')
	}
	return s.Writer.Write(p)
}
