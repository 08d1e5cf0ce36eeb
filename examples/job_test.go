//go:build unix

package examples

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"
)

func TestJob(t *testing.T) {
	t.Parallel()
	s := start(t, nil, "--resume=10m", "--staticdir=job", "job/job.sh", "2")
	s.page("job/index.html")
	lines, closed := s.dial(t, "").rest()
	if strings.Join(lines, ",") != "1 2,2 2" || closed.Code != websocket.StatusNormalClosure {
		t.Errorf("got %q and %v", lines, closed)
	}
}

// jobPage starts a job, loads its page again, and takes the network away from it. Each
// line comes exactly once.
func jobPage(t *testing.T, browser context.Context) {
	s := start(t, nil, "--resume=10m", "--staticdir=job", "job/job.sh", "3600")
	network := newNetwork(t, s.url)
	p := openPage(t, browser, network.url, 360, 700, phone...)
	const done = `parseInt(document.querySelector('#done').textContent)`
	const further = `(%[1]s > (window.before ??= %[1]s))`
	state := func(want string) {
		p.t.Helper()
		p.until(`document.querySelector('#state').textContent === %s`, quote(want))
	}
	state("Not running")
	p.ask(`document.querySelector('#button').click(), true`)
	state("Running")
	p.until(`%s > 1`, done)
	p.usable()

	p.ask(`window.before = undefined, true`)
	p.do(chromedp.Reload())
	state("Running")
	p.until(further, done)
	p.until(`document.querySelector('#events').textContent.includes('This page was loaded again')`)

	network.down()
	p.until(`/^Away for \d+ s, the job goes on$/.test(document.querySelector('#state').textContent)`)
	p.do(chromedp.Reload()) // nothing comes of it
	state("Connecting")
	network.up()
	state("Running")
	p.ask(`window.before = undefined, true`)
	p.until(further, done)

	network.down()
	p.until(`document.querySelector('#state').textContent.startsWith('Away')`)
	network.up()
	state("Running")
	p.until(`/Back after \d+ s, and nothing is lost/.test(document.querySelector('#events').textContent)`)
	if p.ask(`document.querySelector('#events').textContent.includes(' came after ')`) {
		t.Errorf("lines are missing or came twice: %s", evaluate[string](p, `document.querySelector('#events').textContent`))
	}
	s.wantChildren(1)
	p.ask(`document.querySelector('#button').click(), true`)
	state("Not running")
	s.wantChildren(0)
}

// A network is the way to a server; when it is down no WebSocket gets through.
type network struct {
	url string // http://127.0.0.1:PORT/

	mu     sync.Mutex
	isDown bool
	conns  map[net.Conn]bool // whether they are of WebSockets
}

func newNetwork(t *testing.T, url string) *network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{url: "http://" + l.Addr().String() + "/", conns: map[net.Conn]bool{}}
	target := strings.Trim(strings.TrimPrefix(url, "ws://"), "/")
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { n.pass(client, target) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		n.close(func(bool) bool { return true })
		wg.Wait()
	})
	return n
}

func (n *network) pass(client net.Conn, target string) {
	defer client.Close()
	defer n.leave(client)
	n.enter(client, false)
	head := make([]byte, 16<<10)
	size, err := client.Read(head)
	if err != nil {
		return
	}
	socket := bytes.Contains(head[:size], []byte("Upgrade: websocket"))
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	if !n.enter(client, socket) {
		return
	}
	if _, err := server.Write(head[:size]); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}

// enter reports whether a connection may be.
func (n *network) enter(conn net.Conn, socket bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[conn] = socket
	return !socket || !n.isDown
}

func (n *network) leave(conn net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, conn)
}

func (n *network) down() {
	n.mu.Lock()
	n.isDown = true
	n.mu.Unlock()
	n.close(func(socket bool) bool { return socket })
}

func (n *network) close(which func(socket bool) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for conn, socket := range n.conns {
		if which(socket) {
			conn.Close()
		}
	}
}

func (n *network) up() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.isDown = false
}
