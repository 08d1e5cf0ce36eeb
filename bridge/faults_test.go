package bridge

import (
	"bytes"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A fault is something that a client or a child does wrong, or that befalls
// it. The others must not notice, and nothing may be left of it.
type fault struct {
	name   string
	tls    bool           // it is tried over TLS too
	slow   bool           // what ends it takes seconds: it is tried beside the other slow ones
	setup  func(s *scene) // nil: the child is the one that the query names
	inject func(s *scene)
	ends   happening // what is told of it in the end
}

// lots is more than may ever be kept of what a peer sends.
var lots = func() int {
	if os.Getenv("WSBRIDGE_TEST_LOTS") != "" {
		return 1 << 30
	}
	return 64 << 20
}()

func init() {
	// asked does what the query of the request says: NAME&ARG&ARG…
	children["asked"] = func([]string) {
		words := strings.Split(os.Getenv("QUERY_STRING"), "&")
		children[words[0]](words[1:])
	}
}

func TestFaults(t *testing.T) {
	processes("") // knows the elder ones from now on
	// What the first child opens, and all others use, is not taken for a leak.
	first := &scene{TB: t, h: &Handler{}}
	child(first.h, "asked")
	first.srv = serve(t, first.h)
	first.newWitness().end()
	each := func(t *testing.T, slow bool, test func(*testing.T, fault, starter)) {
		for _, f := range slices.Concat(clientFaults, childFaults) {
			if f.slow != slow {
				continue
			}
			t.Run(f.name, func(t *testing.T) { test(t, f, serve) })
			if f.tls {
				t.Run(f.name+", over TLS", func(t *testing.T) { test(t, f, serveTLS) })
			}
		}
	}
	// The garbage collector closes files that are forgotten: those shall show.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	each(t, false, testFault)
	t.Run("slow", func(t *testing.T) {
		all := newScene(t, fault{}, serve)
		before := all.settled()
		t.Run("side by side", func(t *testing.T) { each(t, true, testSlowFault) })
		all.becomes(before)
	})
}

type starter func(testing.TB, *Handler) *httptest.Server

func testFault(t *testing.T, f fault, serve starter) {
	s := newScene(t, f, serve)
	without := s.settled()
	w := s.newWitness()
	before := s.settled()
	rounds := s.befall(f, w)
	s.becomes(before)
	w.goesOn(rounds)
	w.end()
	s.becomes(without)
}

// testSlowFault is testFault beside others, so that only the sessions can be counted.
func testSlowFault(t *testing.T, f fault, serve starter) {
	t.Parallel()
	s := newScene(t, f, serve)
	w := s.newWitness()
	rounds := s.befall(f, w)
	until(s, func() bool { return s.h.sessions() <= 1 }, func() string { return "the end of the session" })
	w.goesOn(rounds)
	w.end()
}

// newScene returns where a fault is to happen.
func newScene(t *testing.T, f fault, serve starter) *scene {
	s := &scene{TB: t, h: &Handler{}}
	child(s.h, "asked")
	if f.setup != nil {
		f.setup(s)
	}
	s.mark = "WSBRIDGE_TEST_MARK=" + strconv.FormatInt(time.Now().UnixNano(), 36)
	s.h.Env = append(s.h.Env, s.mark, "PATH="+os.Getenv("PATH"))
	s.log = record(t, s.h)
	s.srv = serve(t, s.h)
	return s
}

// befall has a fault happen. It returns how far the witness was before.
func (s *scene) befall(f fault, w *witness) (rounds int64) {
	s.Helper()
	rounds = w.rounds.Load()
	f.inject(s)
	for _, p := range s.peers {
		p.Close()
	}
	for _, f := range s.deferred {
		f()
	}
	if f.ends.is != nil {
		s.log.wait(f.ends)
	}
	return rounds
}

// A scene is where a fault happens: a server with one other session.
type scene struct {
	testing.TB
	h        *Handler
	srv      *httptest.Server
	log      *eventLog
	mark     string // a variable that every process of the tree has
	peers    []*peer
	deferred []func()
}

// open opens a session whose child does what the query says.
func (s *scene) open(query string) *peer {
	s.Helper()
	return s.openAt(s.srv.Listener.Addr().String(), query)
}

func (s *scene) openAt(addr, query string) *peer {
	s.Helper()
	p := connectAt(s, s.srv, addr, handshakeFor(s.srv, "/?"+query))
	s.peers = append(s.peers, p)
	return p
}

// what is what there is of what may leak.
type what struct{ sessions, processes, files, goroutines int }

func (s *scene) now() what {
	return what{s.h.sessions(), processes(s.mark), openFiles(), runtime.NumGoroutine()}
}

func (w what) within(limit what) bool {
	return w.sessions <= limit.sessions && w.processes <= limit.processes &&
		w.files <= limit.files && w.goroutines <= limit.goroutines
}

// settled is what there is when nothing transient is among it.
func (s *scene) settled() what {
	least := s.now()
	for same := 0; same < 10; same++ {
		time.Sleep(2 * time.Millisecond)
		now := s.now()
		if !least.within(now) {
			same = 0
		}
		least = what{min(least.sessions, now.sessions), min(least.processes, now.processes),
			min(least.files, now.files), min(least.goroutines, now.goroutines)}
	}
	return least
}

// becomes waits until no more is left than there was before.
func (s *scene) becomes(before what) {
	s.Helper()
	until(s, func() bool { return s.now().within(before) }, func() string {
		stacks := make([]byte, 1<<20)
		return fmt.Sprintf("%+v to become %+v; the log:\n%s\n%s", s.now(), before, s.log, stacks[:runtime.Stack(stacks, true)])
	})
}

// bounded fails if the heap grows much while f runs.
func (s *scene) bounded(f func()) {
	s.Helper()
	const limit = 32 << 20 // a few largest messages and frames, and what the test holds itself
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	before := heap()
	peak := before
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				peak = max(peak, heap())
			}
		}
	})
	f()
	close(stop)
	wg.Wait()
	if peak-before > limit {
		s.Errorf("the heap grew by %d MiB", (peak-before)>>20)
	}
}

// stalled waits until a number stops growing.
func (s *scene) stalled(n *atomic.Int64) {
	s.Helper()
	until(s, stands(n.Load), func() string { return "a stalled client" })
}

var errPassed = errors.New("everything was taken")

// sendLots sends lots in messages of 64 KB.
func (p *peer) sendLots(sent *atomic.Int64) error {
	block := text(string(bytes.Repeat([]byte("x"), 64<<10)))
	for sent.Load() < int64(lots) {
		p.SetDeadline(time.Now().Add(testLimit))
		n, err := p.Write(block)
		sent.Add(int64(n))
		if err != nil {
			return err
		}
	}
	return errPassed
}
