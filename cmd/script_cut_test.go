package cmd

import (
	"io"
	"net"
	neturl "net/url"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdCut starts a proxy in front of the server.
func cmdCut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: cut BYTES...")
	}
	limits := make([]int64, len(args))
	for i, arg := range args {
		n, err := strconv.ParseInt(arg, 10, 64)
		ts.Check(err)
		limits[i] = n
	}
	url, err := neturl.Parse(ts.Getenv("URL"))
	ts.Check(err)
	host := url.Host
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", host)
			if err != nil {
				client.Close()
				continue
			}
			wg.Go(func() { between(server, client, -1) })
			if n < len(limits) {
				wg.Go(func() { between(client, server, limits[n]) })
			} else {
				wg.Go(func() { between(client, server, -1) })
			}
		}
	})
	ts.Defer(func() {
		ln.Close()
		_ = theServer(ts).cmd.Process.Kill()
		wg.Wait()
	})
	url.Host = ln.Addr().String()
	ts.Setenv("URL", url.String())
}

// between passes n bytes on, or with a negative number all. What has been passed on
// arrives before the end does.
func between(to, from net.Conn, n int64) {
	defer from.Close()
	if n < 0 {
		defer to.Close()
		_, _ = io.Copy(to, from)
		return
	}
	_, _ = io.CopyN(to, from, n)
	_ = to.(*net.TCPConn).CloseWrite()
}
