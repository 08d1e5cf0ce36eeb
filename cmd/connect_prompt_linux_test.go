package cmd

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

// A talker is a server whose messages a test says, and which keeps those that come.
type talker struct {
	url  string
	says chan string
	got  chan string
}

func newTalker(t *testing.T) *talker {
	k := &talker{says: make(chan string), got: make(chan string, 100)}
	ctx, stop := context.WithCancel(context.Background())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"own"}})
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		c.SetReadLimit(-1)
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				_, m, err := c.Read(ctx)
				if err != nil {
					return
				}
				k.got <- string(m)
			}
		}()
		for {
			select {
			case m, ok := <-k.says:
				if !ok {
					_ = c.Close(4005, "exit status 5")
					return
				}
				_ = c.Write(ctx, websocket.MessageText, []byte(m))
			case <-read:
				return
			}
		}
	}))
	t.Cleanup(func() {
		stop()
		srv.Close()
	})
	k.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	return k
}

func (d *desk) gets(k *talker, want string) {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), patience)
	defer cancel()
	select {
	case got := <-k.got:
		if got != want {
			d.Errorf("the server got %q, want %q", got, want)
		}
	case <-ctx.Done():
		d.Fatalf("the server does not get %q; the screen has %q", want, d.screen.text())
	}
}

// atPrompt is a desk with connect to a talker, with plain text.
func atPrompt(t *testing.T, k *talker, args ...string) *desk {
	t.Helper()
	t.Setenv("NO_COLOR", "1")
	t.Setenv("TERM", "xterm")
	d := newDesk(t, append(args, "--linger=0", k.url)...)
	d.sees("> ")
	return d
}

// What somebody does at a prompt: typing, corrections, history, answers while typing.
func TestPrompt(t *testing.T) {
	k := newTalker(t)
	d := atPrompt(t, k)
	d.isRaw()
	d.types("hellp\x7fo\r")
	d.gets(k, "hello")
	d.types("second\x1b[D\x1b[D\x1b[D\x7f\x7f\x7fthi\r") // before "ond"
	d.gets(k, "thiond")
	d.types("\x1b[A\x1b[A")
	d.sees("hello")
	d.types("!\r")
	d.gets(k, "hello!")

	d.types("half")
	d.sees("half")
	k.says <- "an answer"
	d.sees(`\x1b\[6D\x1b\[Kan answer\r\n> half`)
	d.types("way\r")
	d.gets(k, "halfway")

	// What a message has of controls is shown, but for colours, which end with the line.
	k.says <- "a\x1b[2Jb\x1b[31mred\ttab\x07\r\nnext\x1b]0;title\u009c"
	d.sees(regexp.QuoteMeta("a^[[2Jb\x1b[31mred\ttab^G\x1b[0m\r\nnext^[]0;title\ufffd\r\n> "))

	// A paste is not cut, and each line of it is a message.
	long := strings.Repeat("0123456789", 1000)
	d.types("\x1b[200~" + long + "\r\n\ttab\r\nlast\x1b[201~ word\r")
	d.gets(k, long)
	d.gets(k, "\ttab")
	d.gets(k, "last word")
	d.types("\x04")
	d.sees(`\x1b\[\?2004l`) // pastes are no longer marked
	d.ends(0)
}

// However it ends, the terminal is as before.
func TestPromptRestores(t *testing.T) {
	for name, test := range map[string]struct {
		end    func(d *desk, k *talker)
		status int
	}{
		"Ctrl-C":  {func(d *desk, _ *talker) { d.types("\x03") }, 0},
		"SIGTERM": {func(d *desk, _ *talker) { _ = d.cmd.Process.Signal(syscall.SIGTERM) }, 0},
		"server":  {func(_ *desk, k *talker) { close(k.says) }, 5},
	} {
		t.Run(name, func(t *testing.T) {
			k := newTalker(t)
			d := atPrompt(t, k)
			d.types("typed")
			d.sees("typed")
			test.end(d, k)
			d.ends(test.status)
		})
	}
}

// With --verbose the handshake, the close code and remarks are told, dim on a terminal
// that has colours; --timestamps is as ever.
func TestPromptVerbose(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	k := newTalker(t)
	d := newDesk(t, "--verbose", "--timestamps", "--subprotocol=own", k.url)
	d.sees(`\x1b\[2mwsbridge: connected: 101 Switching Protocols, subprotocol own, no extension\x1b\[0m\r+\n`)
	d.sees(`\x1b\[2m> \x1b\[0m`)
	k.says <- "one"
	d.sees(`\d\d:\d\d:\d\d\.\d\d\d one\r\n`)
	close(k.says)
	d.sees(`\x1b\[2mwsbridge: closed with 4005: exit status 5\x1b\[0m\r\n`)
	d.ends(5)
}

// Ctrl-Z stops it like any job of a shell, with the terminal as it was, and fg goes on.
func TestPromptStops(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	t.Setenv("TERM", "xterm")
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	wsbridge, err := exec.LookPath("wsbridge")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PS1", "shell:")
	k := newTalker(t)
	d := newDeskOf(t, exec.Command(bash, "--norc", "--noprofile", "--noediting"))
	d.sees("shell:")
	d.types(wsbridge + " connect --linger=0 " + k.url + "\r")
	d.sees("> ")
	d.isRaw()
	d.types("half")
	d.sees("half")
	d.types("\x1a")
	d.sees("Stopped")
	d.sees("shell:")
	d.types("fg\r")
	d.sees("> half")
	d.isRaw()
	d.types("way\r")
	d.gets(k, "halfway")
	d.types("\x04")
	d.sees("shell:")
	d.types("exit 4\r")
	d.ends(4)
}

// In a pipe nothing is shown otherwise than it comes.
func TestNoPromptInAPipe(t *testing.T) {
	const message = "a\x1b[2Jb\x1b[31mred\x07\r"
	k := newTalker(t)
	cmd := exec.CommandContext(t.Context(), "wsbridge", "connect", "--verbose", "--linger=forever", k.url)
	var out, stderr strings.Builder
	cmd.Env = append(os.Environ(), "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("typed\x7f\x03\n"), &out, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.says <- message
	if got := <-k.got; got != "typed\x7f\x03" {
		t.Errorf("the server got %q", got)
	}
	close(k.says)
	_ = cmd.Wait()
	const told = "wsbridge: connected: 101 Switching Protocols, no subprotocol, no extension\nwsbridge: closed with 4005: exit status 5\n"
	if out.String() != message+"\n" || stderr.String() != told || cmd.ProcessState.ExitCode() != 5 {
		t.Errorf("%q, %q, %v", out.String(), stderr.String(), cmd.ProcessState)
	}
}
