package bridge

import (
	"bufio"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A client that leaves while its program does not read is missed at once,
// though the session cannot read its socket then: more than may wait for the
// program has come.
func TestLeavesWithAFullBacklog(t *testing.T) {
	t.Parallel()
	ends := func(p *peer) { p.Close() }
	halfCloses := func(p *peer) { p.CloseWrite() }
	resets := func(p *peer) { p.SetLinger(0); p.Close() }
	for _, test := range []struct {
		name     string
		start    func(testing.TB, *Handler) *httptest.Server
		interval time.Duration
		last     []byte // sent behind the backlog
		leave    func(p *peer)
	}{
		{"ends", serve, 0, nil, ends},
		{"ends, over TLS", serveTLS, 0, nil, ends},
		{"half-closes", serve, 0, nil, halfCloses},
		{"resets", serve, 0, nil, resets},
		{"resets, over TLS", serveTLS, 0, nil, resets},
		{"ends, without pings", serve, -1, nil, ends},
		{"resets, without pings", serve, -1, nil, resets},
		{"says so and ends", serve, 0, closing(1000, "bye"), ends},
		{"says so and half-closes", serve, -1, closing(1001, ""), halfCloses},
		{"stops in a message", serve, 0, text("cut off")[:9], ends},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := child(pinging(test.interval), "deaf")
			ended := reports(h)
			p := connect(t, test.start(t, h))
			p.message() // it does not read from now on
			fillBacklog(t, p)
			p.write(test.last)
			until(t, func() bool { return queued(t, p) == 0 },
				func() string { return "the server's system" })
			test.leave(p)
			within(t, ended, 10*time.Second) // the ladder takes most of a second of it
		})
	}
}

// While a backlog is full, a client that stays is left alone, although its
// pongs are behind what waits.
func TestStaysWithAFullBacklog(t *testing.T) {
	t.Parallel()
	h := child(pinging(500*time.Millisecond), "deaf")
	ended := reports(h)
	p := connect(t, serve(t, h))
	p.message()
	var pings atomic.Int64
	read := started(func() {
		for {
			f, err := p.frame()
			if err != nil {
				return
			}
			if f.op == opPing {
				pings.Add(1)
				p.Write(ponging(f.payload))
			}
		}
	})
	fillBacklog(t, p)
	full := pings.Load()
	until(t, func() bool { return pings.Load() >= full+5 || hasEnded(read) },
		func() string { return "pings" })
	select {
	case end := <-ended:
		t.Errorf("ended with %d %s", end.code, end.reason)
	default:
	}
	p.SetLinger(0)
	p.Close()
	<-read
}

// fillBacklog sends messages until the server does not read them any more, and
// no more than its system takes: what follows, if only the end, arrives there.
func fillBacklog(t *testing.T, p *peer) {
	t.Helper()
	message := text(strings.Repeat("x", 1<<10))
	for range DefaultMaxMessageSize >> 10 {
		p.write(message) // what may wait in any case
	}
	const enough = 8 << 10 // unread: no passing lag
	for same := 0; same < 10; {
		if n := unread(t, p); n < enough {
			p.SetDeadline(time.Now().Add(testLimit))
			p.write(message)
			same = 0
			continue
		}
		same++
		time.Sleep(10 * time.Millisecond)
	}
}

// unread is how many bytes the server's system holds of what p sent (proc(5)).
func unread(t *testing.T, p *peer) int {
	t.Helper()
	port := func(addr net.Addr) string { return fmt.Sprintf(":%04X", addr.(*net.TCPAddr).Port) }
	server, client := port(p.RemoteAddr()), port(p.LocalAddr())
	table, err := os.Open("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for lines := bufio.NewScanner(table); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // sl, local, remote, state, tx_queue:rx_queue, ...
		if len(fields) < 5 || !strings.HasSuffix(fields[1], server) || !strings.HasSuffix(fields[2], client) {
			continue
		}
		_, rx, _ := strings.Cut(fields[4], ":")
		n, err := strconv.ParseInt(rx, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
	t.Fatal("the connection is gone")
	return 0
}

// queued is how many bytes p's system holds of what it sent.
func queued(t *testing.T, p *peer) (n int) {
	t.Helper()
	raw, err := p.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		var unsent uint32
		unsent, err = unix.IoctlGetUint32(int(fd), unix.SIOCOUTQ)
		n = int(unsent)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
