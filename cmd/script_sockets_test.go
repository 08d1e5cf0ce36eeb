package cmd

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func cmdProxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: proxy SOCKET")
	}
	socket := ts.MkAbs(args[0])
	if len(socket) > 100 { // the path of a socket has its limits, a link to it helps
		dir, err := os.MkdirTemp("", "wsb")
		ts.Check(err)
		ts.Defer(func() { os.RemoveAll(dir) })
		link := filepath.Join(dir, "s")
		ts.Check(os.Symlink(socket, link))
		socket = link
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}
	front := httptest.NewServer(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "socket" },
	})
	ts.Defer(front.Close)
	ts.Setenv("URL", "ws"+strings.TrimPrefix(front.URL, "http")+"/")
	ts.Setenv("PAGE", front.URL+"/")
}

func cmdActivate(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] activate KIND[,KIND...] [flags] COMMAND...")
	}
	s := ts.Value(serverKey{}).(*server)
	// Only a process that is there already knows its LISTEN_PID.
	script := []string{"-c", `export LISTEN_PID=$$; exec wsbridge "$@"`, "sh"}
	cmd := exec.Command("sh", append(script, args[1:]...)...)
	kinds := strings.Split(args[0], ",")
	for _, kind := range kinds {
		socket := openSocket(ts, kind)
		defer socket.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, socket)
	}
	notify := filepath.Join(ts.Getenv("WORK"), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: notify})
	ts.Check(err)
	s.told = newWatched()
	go func(told *watched) {
		for b := make([]byte, 4096); ; {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			_, _ = told.Write(append(b[:n:n], '\n'))
		}
	}(s.told)
	s.start(ts, cmd,
		fmt.Sprintf("LISTEN_FDS=%d", len(kinds)), "LISTEN_FDNAMES="+strings.Join(kinds, ":"),
		"NOTIFY_SOCKET="+notify, "WATCHDOG_USEC=1000000")
	ts.Defer(func() { conn.Close() })
	if s.listens(ts) == neg {
		ts.Fatalf("the server listens: %t", !neg)
	}
}

// openSocket is a socket as systemd would pass it.
func openSocket(ts *testscript.TestScript, kind string) *os.File {
	type hasFile interface{ File() (*os.File, error) }
	var socket hasFile
	switch path := filepath.Join(ts.Getenv("WORK"), kind+".sock"); kind {
	case "tcp":
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer ln.Close()
		socket = ln.(hasFile)
	case "unix", "unixpacket":
		ln, err := net.ListenUnix(kind, &net.UnixAddr{Net: kind, Name: path})
		ts.Check(err)
		ln.SetUnlinkOnClose(false)
		defer ln.Close()
		socket = ln
	case "datagram":
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
		ts.Check(err)
		defer conn.Close()
		socket = conn
	case "connected":
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer ln.Close()
		conn, err := net.Dial("tcp", ln.Addr().String())
		ts.Check(err)
		defer conn.Close()
		socket = conn.(hasFile)
	default:
		ts.Fatalf("unknown kind of socket: %s", kind)
	}
	file, err := socket.File()
	ts.Check(err)
	return file
}

func cmdTold(ts *testscript.TestScript, neg bool, args []string) {
	s := theServer(ts)
	if neg || len(args) != 1 || s.told == nil {
		ts.Fatalf("usage, after activate: told REGEXP")
	}
	re, err := regexp.Compile(`(?m)` + args[0])
	ts.Check(err)
	if s.told.wait(re, s.done) == nil {
		ts.Fatalf("systemd was not told: %s, but: %s", re, s.told.text())
	}
}

func haveIPv6() bool {
	ln, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		ln.Close()
	}
	return err == nil
}
