package examples

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// units copies the units to a directory, with the binary under test in the
// place of the installed one.
func units(t *testing.T) (dir string, execStart []string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"wsbridge.service", "wsbridge.socket"} {
		text, err := os.ReadFile(filepath.Join("systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte("ExecStart=/usr/bin/wsbridge "), []byte("ExecStart="+wsbridge+" "))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindSubmatch(text); found != nil {
			execStart = strings.Fields(string(found[1]))
		}
	}
	return dir, execStart
}

func TestSystemdUnits(t *testing.T) {
	t.Parallel()
	need(t, "systemd-analyze")
	dir, _ := units(t)
	// What it says of other units of the machine is none of our business.
	out, err := exec.Command("systemd-analyze", "verify", "--man=no",
		filepath.Join(dir, "wsbridge.service"), filepath.Join(dir, "wsbridge.socket")).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("wsbridge.")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// The service as systemd runs it: started by the first client, it says when it
// is ready, closes its connections when it is to stop, and leaves the socket.
func TestSystemdService(t *testing.T) {
	t.Parallel()
	need(t, "systemd-socket-activate")
	dir, command := units(t)
	short, err := os.MkdirTemp("", "wsb") // the path of a socket has its limits
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	socket, notify := filepath.Join(short, "s"), filepath.Join(short, "n")
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: notify})
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	wantTold := func(state string) {
		t.Helper()
		b := make([]byte, 4096)
		_ = told.SetReadDeadline(time.Now().Add(limit))
		n, err := told.Read(b)
		if lines := strings.Split(string(b[:n]), "\n"); err != nil || lines[0] != state {
			t.Errorf("systemd was told %q, %v; want %s", lines, err, state)
		}
	}

	var stderr bytes.Buffer
	server := exec.Command("systemd-socket-activate", append([]string{
		"--listen=" + socket, "--setenv=NOTIFY_SOCKET=" + notify,
	}, command...)...)
	server.Dir, server.Stderr = dir, &stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var failure error
	ended := make(chan struct{})
	go func() {
		failure = server.Wait()
		close(ended)
	}()
	defer func() {
		_ = server.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("%q said:\n%s", server.Args, stderr.Bytes())
		}
	}()

	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	overSocket := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	var conn *websocket.Conn
	if !eventually(func() bool {
		conn, _, err = websocket.Dial(ctx, "ws://localhost/", &websocket.DialOptions{HTTPClient: overSocket})
		return err == nil
	}) {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	wantTold("READY=1")
	c := &client{t, ctx, conn}
	c.send("hello")
	c.want("hello")

	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wantTold("STOPPING=1")
	if _, closed := c.rest(); closed.Code != websocket.StatusGoingAway {
		t.Errorf("at the server's end: %v, want close code 1001", closed)
	}
	select {
	case <-ended:
		if failure != nil {
			t.Error(failure)
		}
	case <-time.After(limit):
		t.Error("the server does not end after SIGTERM")
	}
	if _, err := os.Stat(socket); errors.Is(err, os.ErrNotExist) {
		t.Error("the socket is gone, which is systemd's")
	}
}
