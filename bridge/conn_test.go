package bridge

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

// However many pings come while nothing can be written, what waits is
// bounded, and the latest is answered.
func TestControlFramesThatWait(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	c := newConn(server, server, nil)
	var last []byte
	for i := range 10_000 {
		last = appendFrame(nil, finBit|opPong, []byte(strings.Repeat("x", 100)+fmt.Sprint(i)), false)
		if err := c.control(last); err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		if len(c.queue) > maxQueue {
			t.Fatalf("%d bytes wait", len(c.queue))
		}
		c.mu.Unlock()
	}
	got := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(client)
		got <- all
	}()
	c.wg.Wait()
	server.Close()
	if all := <-got; !bytes.HasSuffix(all, last) {
		t.Errorf("the latest is not among %d bytes", len(all))
	}
}

// A client that is gone is noticed by what is sent to it also while nothing is
// read from it, because the child does not read.
func TestConnectionLostBehindAFullBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := make(chan struct{}) // the child does
		to := &testSink{slow: func() { <-reads }}
		source, prints := io.Pipe()
		p := runPiped(t, &Handler{PingInterval: -1, MaxMessageSize: 100}, source, to)
		for range 2 {
			p.send(text(strings.Repeat("x", 90)))
			synctest.Wait()
		}
		p.Conn.Close()
		synctest.Wait()
		if hasEnded(p.session.ctx.Done()) {
			t.Fatal("the backlog is not full")
		}
		fmt.Fprintln(prints, "x")
		synctest.Wait()
		if !hasEnded(p.session.ctx.Done()) {
			t.Error("the session goes on")
		}
		close(reads)
		prints.Close()
		<-p.done
		if p.end != errLost {
			t.Errorf("ended with %v", p.end)
		}
	})
}

// A connection that cannot be taken over leaves no place taken.
func TestUpgradeThatFails(t *testing.T) {
	h := &Handler{Command: []string{"none"}, MaxForks: 1}
	for range 2 {
		w := httptest.NewRecorder() // no http.Hijacker
		h.ServeHTTP(w, upgradeRequest())
		if w.Code == 429 {
			t.Error(w.Body)
		}
	}
	if n := h.sessions(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}
