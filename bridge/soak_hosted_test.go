package bridge

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/process/selfchild"
)

func init() {
	// numbers prints numbers without end, in bursts.
	children["numbers"] = func([]string) {
		out := bufio.NewWriter(os.Stdout)
		for n := 1; ; {
			for range 50 {
				fmt.Fprintln(out, n, strings.Repeat("x", n%97))
				n++
			}
			if out.Flush() != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// TestSoakHosted has many clients come, go, stall, reset and come back, some to
// programs of their own and some to a shared one, and checks every number.
//
//	WSBRIDGE_SOAK=10m go test -run TestSoakHosted -timeout 20m -v ./bridge
func TestSoakHosted(t *testing.T) {
	clients, length := 16, 2*time.Second
	if selfchild.Race() { // with all the clients, for a shorter time
		length /= 2
	}
	if v := os.Getenv(soakVar); v != "" {
		var err error
		if length, err = time.ParseDuration(v); err != nil {
			t.Fatalf("%s: %v", soakVar, err)
		}
		clients = 500
	}
	own := child(&Handler{Hosting: Resume{For: time.Hour, Buffer: 20_000}, Limits: &Limits{MaxForks: -1}, Compress: true}, "model")
	all := shared(Share{Keep: time.Hour, Buffer: 200_000}, "numbers")
	ownSrv, allSrv := serve(t, own), serve(t, all)
	var sessions, connections, numbers atomic.Int64
	var wg sync.WaitGroup
	end := time.Now().Add(length)
	for i := range clients {
		r := rand.New(rand.NewPCG(uint64(i), 2))
		if i%2 == 0 {
			wg.Go(func() {
				s := sharer{r: r, srv: allSrv, connections: &connections, numbers: &numbers}
				for time.Now().Before(end) && !t.Failed() {
					s.visit(t)
				}
			})
			continue
		}
		wg.Go(func() {
			for time.Now().Before(end) && !t.Failed() {
				m := &model{t: t, srv: ownSrv, key: fmt.Sprintf("%022d", sessions.Add(1)), size: r.IntN(3000)}
				m.counting, m.compress = r.IntN(4) > 0, r.IntN(2) == 0
				for n := r.IntN(30); n > 0; n-- {
					m.schedule(byte(r.IntN(16)), r.IntN(4000), r.IntN(20))
					connections.Add(1)
					time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
				}
				m.finish()
				numbers.Add(int64(m.got))
			}
		})
	}
	wg.Wait()
	t.Logf("%d sessions, %d connections, %d numbers", sessions.Load(), connections.Load(), numbers.Load())
}

// A sharer is a client of a shared program that comes back and counts.
type sharer struct {
	r                    *rand.Rand
	srv                  *httptest.Server
	run                  string
	got                  int64
	connections, numbers *atomic.Int64
}

// visit is one connection, which begins where the last has ended, unless the client
// was too slow.
func (s *sharer) visit(t *testing.T) {
	query := ""
	if s.run != "" {
		query = received(s.run, s.got)
	}
	p := connectAt(t, s.srv, s.srv.Listener.Addr().String(), handshakeFor(s.srv, "/?"+query, "Sec-WebSocket-Protocol: wsbridge.v1"))
	defer p.Close()
	s.connections.Add(1)
	first := true
	for n := s.r.IntN(3000); n > 0; n-- {
		f, err := p.frame()
		switch {
		case err != nil:
			t.Errorf("after message %d: %v", s.got, err)
			return
		case f.op == opClose:
			if reason := string(f.payload[2:]); reason != errTooSlow.Reason && !strings.HasPrefix(reason, "gone: ") {
				t.Errorf("closed with %q", f.payload)
			}
			s.run = "" // it begins anew
			return
		case f.op == opPing:
			p.Write(ponging(f.payload))
		case first:
			if err := s.greeted(f.payload); err != nil {
				t.Error(err)
				return
			}
			first = false
		default:
			s.got++
			if want := fmt.Sprint(s.got, " ", strings.Repeat("x", int(s.got%97))); string(f.payload) != want {
				t.Errorf("message %d is %q", s.got, f.payload)
				return
			}
			s.numbers.Add(1)
		}
		if s.r.IntN(1000) == 0 { // it stalls
			time.Sleep(time.Duration(s.r.IntN(300)) * time.Millisecond)
		}
	}
	switch s.r.IntN(3) {
	case 0:
		p.SetLinger(0)
	case 1:
		p.Write(closing(1000, ""))
	}
}

func (s *sharer) greeted(text []byte) error {
	var g greeting
	if err := json.Unmarshal(text, &g); err != nil {
		return err
	}
	if s.run != "" && (g.Session != s.run || !g.Resumed || g.Next != s.got+1) {
		return errors.New("greeted with " + string(text))
	}
	s.run, s.got = g.Session, g.Next-1
	return nil
}
