package cmd

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A desk is a terminal at which a wsbridge connect runs.
type desk struct {
	*testing.T
	ptmx, tty *os.File
	before    unix.Termios // the mode that the terminal was in
	cmd       *exec.Cmd
	done      chan struct{}
	screen    *watched
	looked    int // bytes of screen that were looked at
}

// newDesk starts it with a terminal for its three streams.
func newDesk(t *testing.T, args ...string) *desk {
	t.Helper()
	return newDeskOf(t, exec.Command("wsbridge", append([]string{"connect"}, args...)...))
}

func newDeskOf(t *testing.T, cmd *exec.Cmd) *desk {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	d := &desk{T: t, ptmx: ptmx, tty: tty, screen: newWatched(), done: make(chan struct{})}
	d.resize(132, 43)
	d.before = d.mode()
	d.cmd = cmd
	d.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr = tty, tty, tty
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 4096)
		for {
			n, err := ptmx.Read(buf)
			_, _ = d.screen.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	go func() {
		_ = d.cmd.Wait()
		close(d.done)
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.done
		tty.Close()
		ptmx.Close()
		<-read
	})
	return d
}

func (d *desk) mode() unix.Termios {
	d.Helper()
	mode, err := unix.IoctlGetTermios(int(d.tty.Fd()), unix.TCGETS)
	if err != nil {
		d.Fatal(err)
	}
	return *mode
}

func (d *desk) resize(columns, rows uint16) {
	d.Helper()
	if err := pty.Setsize(d.ptmx, &pty.Winsize{Cols: columns, Rows: rows}); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) types(s string) {
	d.Helper()
	if _, err := d.ptmx.WriteString(s); err != nil {
		d.Fatal(err)
	}
}

// sees waits for a pattern on the screen, behind what was seen before.
func (d *desk) sees(pattern string) {
	d.Helper()
	re := regexp.MustCompile(pattern)
	done := d.done
	for limit := time.After(patience); ; {
		d.screen.mu.Lock()
		changed, text := d.screen.changed, d.screen.buf.String()[d.looked:]
		d.screen.mu.Unlock()
		if at := re.FindStringIndex(text); at != nil {
			d.looked += at[1]
			return
		}
		select {
		case <-changed:
		case <-done: // the last of it may still be on its way
			done, limit = nil, time.After(patience/4)
		case <-limit:
			d.Fatalf("no %q in %q; %v", pattern, text, d.cmd.ProcessState)
		}
	}
}

// ends waits for the end, compares the exit status, and whether the terminal is as before.
func (d *desk) ends(status int) {
	d.Helper()
	select {
	case <-d.done:
	case <-time.After(patience):
		d.Fatalf("it does not end; the screen has %q", d.screen.text())
	}
	if got := d.cmd.ProcessState.ExitCode(); got != status {
		d.Errorf("it ended with %v, want %d; the screen has %q", d.cmd.ProcessState, status, d.screen.text())
	}
	d.isRestored()
}

func (d *desk) isRestored() {
	d.Helper()
	if mode := d.mode(); mode != d.before {
		d.Errorf("the terminal is left in another mode: %+v, was %+v", mode, d.before)
	}
}

// isRaw waits until the terminal is in raw mode.
func (d *desk) isRaw() {
	d.Helper()
	for begin := time.Now(); d.mode().Lflag&unix.ICANON != 0; time.Sleep(time.Millisecond) {
		if time.Since(begin) > patience {
			d.Fatal("it is not in raw mode")
		}
	}
}

// atShell is a desk with connect --pty to a shell.
func atShell(t *testing.T, s environServer, args ...string) *desk {
	t.Helper()
	d := newDesk(t, append([]string{"--pty", "ws://" + s.where + "/"}, args...)...)
	d.sees(`Ctrl-\] leaves\r\n`)
	d.sees(ptyPrompt)
	return d
}

func channelShell(t *testing.T, flags ...string) environServer {
	return ptyServe(t, append([]string{"--framing=channels"}, flags...)...)
}

// What a user does at a remote terminal: its size, a resize, an interrupt, the end.
func TestConnectPty(t *testing.T) {
	t.Parallel()
	d := atShell(t, channelShell(t))
	d.types("stty size\r")
	d.sees("\r\n43 132\r\n" + ptyPrompt)
	d.resize(100, 30)
	d.types("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.01; done; echo resized\r")
	d.sees("\r\nresized\r\n" + ptyPrompt)
	d.types("sh -c 'echo runs; exec sleep 1000'\r")
	d.sees("\r\nruns\r\n")
	d.isRaw()
	d.types("\x03")
	d.sees(`\^C\r?\n` + ptyPrompt)
	d.types("echo gr\x7f\x7fol\xc3\xa9\r")
	d.sees("\r\nol\xc3\xa9\r\n" + ptyPrompt)
	d.types("exit 3\r")
	d.ends(3)
}

// A terminal without a size, as a serial line is, gets the server's, until it has one.
func TestConnectPtyWithoutSize(t *testing.T) {
	t.Parallel()
	s := channelShell(t)
	d := newDeskOf(t, exec.Command("sh", "-c", "stty cols 0 rows 0 && exec wsbridge connect --pty ws://"+s.where+"/"))
	d.sees(ptyPrompt)
	d.types("stty size\r")
	d.sees("\r\n24 80\r\n" + ptyPrompt)
	d.resize(100, 30)
	d.types("\r")
	d.sees(ptyPrompt)
	d.types("for i in $(seq 1000); do [ \"$(stty size)\" = '30 100' ] && break; sleep 0.01; done; stty size; exit\r")
	d.sees("\r\n30 100\r\n")
	d.ends(0)
}

// However it ends, the terminal is as before.
func TestConnectPtyRestores(t *testing.T) {
	t.Parallel()
	s := channelShell(t)
	for name, test := range map[string]struct {
		end    func(d *desk)
		status int
	}{
		"Ctrl-D":  {func(d *desk) { d.types("\x04") }, 0},
		"Ctrl-]":  {func(d *desk) { d.types("\x1d") }, 0},
		"SIGTERM": {func(d *desk) { _ = d.cmd.Process.Signal(syscall.SIGTERM) }, 0},
		"SIGHUP":  {func(d *desk) { _ = d.cmd.Process.Signal(syscall.SIGHUP) }, 0},
		"SIGQUIT": {func(d *desk) { _ = d.cmd.Process.Signal(syscall.SIGQUIT) }, 2},
		"kill":    {func(d *desk) { d.types("kill -9 $$\r") }, 137},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := atShell(t, s)
			d.isRaw()
			test.end(d)
			d.ends(test.status)
		})
	}
}

// A server that goes away, and one that does not speak channels.
func TestConnectPtyWithoutServer(t *testing.T) {
	t.Parallel()
	ptmx := func(flags ...string) (*desk, *exec.Cmd) {
		s, server := serveProcess(t, flags...)
		d := newDesk(t, "--pty", "ws://"+s.where+"/")
		return d, server
	}
	d, server := ptmx("--pty", "--framing=channels", "sh", "-c", "printf ready; exec sleep 1000")
	d.sees("ready")
	_ = server.Process.Kill()
	d.sees(`ready\r\nwsbridge: the connection was lost without a close frame \(1006\)\r\n`[5:])
	d.ends(1)
	d, _ = ptmx("--pty", "cat")
	d.sees(`wsbridge: cannot connect to ws://[^ ?]*: the server does not send the streams of its program one by one\r\na wsbridge with --pty --framing=channels does\r\n`)
	d.ends(1)
	if strings.Contains(d.screen.text(), "leaves") {
		t.Error("it says how to leave before there is a connection")
	}
}
