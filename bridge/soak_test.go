package bridge

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/process/selfchild"
)

// soakVar is how long TestSoak runs, such as 10m. Without it the test takes a
// few seconds and is small.
const soakVar = "WSBRIDGE_SOAK"

// TestSoak keeps many sessions of mixed behaviour going, each of which is
// checked message by message, and looks at what is left when they are gone.
//
//	WSBRIDGE_SOAK=10m go test -run TestSoak -timeout 20m -v ./bridge
func TestSoak(t *testing.T) {
	s := &soak{t: t, clients: 100, length: 5 * time.Second, pause: 200 * time.Millisecond}
	perCPU := 20
	if v := os.Getenv(soakVar); v != "" {
		length, err := time.ParseDuration(v)
		if err != nil {
			t.Fatalf("%s: %v", soakVar, err)
		}
		s.clients, s.length, s.pause = 500, length, 2*time.Second
		perCPU = 100
	}
	if selfchild.Race() { // the children are slow to start
		s.clients = min(s.clients, perCPU*runtime.NumCPU())
	}
	// What the first sessions leave behind for good is no leak.
	first := &soak{t: t, clients: 1, pause: time.Millisecond}
	first.run()
	if t.Failed() {
		return
	}

	before := countLeft()
	s.run()
	var after left
	until(t, func() bool { after = countLeft(); return after.within(before) || t.Failed() }, func() string {
		stacks := make([]byte, 1<<20)
		return fmt.Sprintf("the state before, which was %v and is %v\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
	})
	if leftChildren() != 0 {
		t.Error("a child was not reaped")
	}
	s.report()
	t.Logf("before: %v", before)
	t.Logf("after:  %v", after)
}

// A soak is one run of many clients, and the server for them.
type soak struct {
	t       *testing.T
	clients int           // at a time
	length  time.Duration // after which no session is opened
	pause   time.Duration // the longest of a client
	srv     *httptest.Server
	over    atomic.Bool
	number  atomic.Uint64 // of sessions

	mu      sync.Mutex
	tallies map[string]*tally // by behaviour
	closes  map[int]int       // sessions by how the server saw them end
	most    int               // goroutines
	samples []sample
}

// A tally is what the clients have sent and checked.
type tally struct{ sessions, sent, received, bytes int64 }

// A sample tells of the memory in use.
type sample struct {
	live uint64 // bytes that the last garbage collection has left
	rss  uint64 // resident bytes of the process; 0 where it is not known
}

func (s *soak) run() {
	s.tallies, s.closes = map[string]*tally{}, map[int]int{}
	handlers := map[Framing]*Handler{}
	mux := http.NewServeMux()
	for framing, path := range soakPaths {
		h := child(&Handler{
			Framing: framing,
			Limits:  &Limits{MaxForks: -1}, // a place is given back a little after its client is gone
			Bounds:  Bounds{PingInterval: 15 * time.Second},
			Events:  s.heard,
		}, "soak")
		h.Env = append(h.Env, soakMark(), "GOMAXPROCS=1")
		handlers[framing] = h
		mux.Handle(path, h)
	}
	s.srv = httptest.NewUnstartedServer(mux)
	s.srv.Config.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		if s.number.Load()%2 == 0 { // so that writes block earlier
			nc.(*net.TCPConn).SetWriteBuffer(16 << 10)
		}
		return ctx
	}
	s.srv.Start()
	defer s.srv.Close()

	watched := started(s.watch)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range s.clients {
		wg.Go(func() {
			// They come one after another: the start of a process is dear.
			time.Sleep(min(s.length/5, 20*time.Second) * time.Duration(i) / time.Duration(s.clients))
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for first := true; first && i == 0 || time.Since(begin) < s.length && !s.t.Failed(); first = false {
				s.session(r)
			}
		})
	}
	time.Sleep(time.Until(begin.Add(s.length)))
	s.over.Store(true)
	wg.Wait()
	<-watched
	for framing, h := range handlers {
		until(s.t, func() bool { return h.sessions() == 0 }, func() string {
			return fmt.Sprintf("the end of %d sessions of %s without a client", h.sessions(), soakPaths[framing])
		})
		if err := h.Shutdown(s.t.Context()); err != nil {
			s.t.Error(err)
		}
	}
}

// session is a session of any behaviour, from the client's side.
func (s *soak) session(r *rand.Rand) {
	b := soakBehaviours[r.IntN(len(soakBehaviours))]
	c := &soakClient{soak: s, rand: r, seed: s.number.Add(1)}
	err := b.run(c)
	if c.TCPConn != nil {
		c.TCPConn.Close()
	}
	if err != nil {
		s.t.Errorf("%s, session %d, %d messages sent, %d received: %v", b.name, c.seed, c.sent, c.received, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tallies[b.name] == nil {
		s.tallies[b.name] = new(tally)
	}
	sum := s.tallies[b.name]
	sum.sessions++
	sum.sent += c.sent
	sum.received += c.received
	sum.bytes += c.bytes
}

// watch takes samples of the memory when the sessions have come.
func (s *soak) watch() {
	for !s.over.Load() {
		time.Sleep(max(s.length/400, time.Millisecond))
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		s.mu.Lock()
		s.samples = append(s.samples, sample{live[0].Value.Uint64(), residentBytes()})
		s.most = max(s.most, runtime.NumGoroutine())
		s.mu.Unlock()
	}
}

// report logs the figures and compares the memory in use early and late.
func (s *soak) report() {
	var sum tally
	for _, name := range slices.Sorted(maps.Keys(s.tallies)) {
		n := s.tallies[name]
		s.t.Logf("%-8s %7d sessions %10d sent %10d received %14d bytes", name, n.sessions, n.sent, n.received, n.bytes)
		sum.sessions += n.sessions
		sum.sent += n.sent
		sum.received += n.received
		sum.bytes += n.bytes
	}
	s.t.Logf("%-8s %7d sessions %10d sent %10d received %14d bytes", "all", sum.sessions, sum.sent, sum.received, sum.bytes)
	s.t.Logf("close codes by how often: %v", s.closes)
	gone := int64(0)
	for _, name := range []string{"reset", "half"} {
		if n := s.tallies[name]; n != nil {
			gone += n.sessions
		}
	}
	if lost := int64(s.closes[errLost.Code]); lost != gone && !s.t.Failed() {
		s.t.Errorf("%d clients were gone without a word, of which the server saw %d", gone, lost)
	}
	s.t.Logf("%d clients at a time for %v, at most %d goroutines", s.clients, s.length, s.most)

	settled := s.samples[len(s.samples)/5:]
	half := len(settled) / 2
	for _, kind := range []struct {
		name string
		of   func(sample) uint64
	}{
		{"live heap", func(m sample) uint64 { return m.live }},
		{"resident memory", func(m sample) uint64 { return m.rss }},
	} {
		early, earlyMost := median(settled[:half], kind.of)
		late, lateMost := median(settled[half:], kind.of)
		s.t.Logf("%s, first half: %d MB, at most %d MB; second half: %d MB, at most %d MB",
			kind.name, early>>20, earlyMost>>20, late>>20, lateMost>>20)
		// A few seconds tell nothing of a leak.
		if s.length >= time.Minute && late > early+early/5+4<<20 {
			s.t.Errorf("%s grows: from %d bytes to %d", kind.name, early, late)
		}
	}
}

func median(samples []sample, of func(sample) uint64) (middle, most uint64) {
	var values []uint64
	for _, m := range samples {
		values = append(values, of(m))
	}
	slices.Sort(values)
	return values[len(values)/2], values[len(values)-1]
}

// heard listens to the server: it knows how sessions have ended, and nothing
// else shall happen.
func (s *soak) heard(e Event) {
	switch e := e.(type) {
	case Opened, Started, Silent: // a busy machine starts a program late
	case Closed:
		code := e.Ending.Code
		switch base := exitBase; {
		case code > base+128 && code < base+256:
			code = base + 128 // and more: of these there are too many to look at
		case code > base && code < base+128:
			code = base + 1
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closes[code]++
	default:
		s.t.Errorf("the server tells of %T%+v", e, e)
	}
}
