package bridge

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A client that is gone is noticed by what is sent to it also while nothing is
// read from it, because the child does not read.
func TestConnectionLostBehindAFullBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := make(chan struct{}) // the child does
		to := &testSink{slow: func() { <-reads }}
		source, prints := io.Pipe()
		p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: -1, MaxMessageSize: 100}}, source, to)
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
		time.Sleep(time.Second)
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
	h := &Handler{Command: []string{"none"}, Limits: &Limits{MaxForks: 1}}
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
