package cmd

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// With --resume a lost connection is made again, to the same shell, which gets what was
// typed meanwhile. Without a connection Ctrl-] leaves too.
func TestConnectPtyResumes(t *testing.T) {
	t.Parallel()
	s := channelShell(t, "--resume=1m")
	way := cutting(t, "http://"+s.where+"/")
	d := newDesk(t, "--pty", "--resume", strings.Replace(way.page(), "http:", "ws:", 1))
	d.sees(ptyPrompt)
	d.types("mine=kept\r")
	d.sees(ptyPrompt)
	way.goDown()
	d.sees(`wsbridge: the connection was lost; connecting again\r\n`)
	d.types("echo $mine; stty size\r")
	d.resize(100, 30)
	way.goUp()
	d.sees(`wsbridge: connected again after [0-9.]+m?s, where it was.*\r\n`)
	d.sees("\r\nkept\r\n")
	d.types("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.01; done; echo resized\r")
	d.sees("\r\nresized\r\n" + ptyPrompt)
	way.goDown()
	d.sees(`wsbridge: the connection was lost; connecting again\r\n`)
	d.isRaw()
	d.types("\x1d")
	d.ends(0)
}

// A second signal ends it at once, here while a frozen server does not answer the close
// frame, and restores the terminal all the same.
func TestConnectPtySecondSignal(t *testing.T) {
	t.Parallel()
	s, server := serveProcess(t, "--pty", "--framing=channels", "sh", "-c", "printf ready; exec sleep 1000")
	d := newDesk(t, "--pty", "ws://"+s.where+"/")
	d.sees("ready")
	d.isRaw()
	_ = server.Process.Signal(syscall.SIGSTOP)
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) { // one that comes too soon counts as the first
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-d.done:
		default:
			if time.Since(begin) > patience {
				t.Fatal("it does not end")
			}
			continue
		}
		break
	}
	if status := d.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", d.cmd.ProcessState)
	}
	d.isRestored()
	_ = server.Process.Signal(syscall.SIGCONT)
}
