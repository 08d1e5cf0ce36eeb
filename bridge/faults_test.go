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
	// What the first child opens, and all others use, is not taken for a leak.
	first := &scene{TB: t, h: &Handler{}}
	child(first.h, "asked")
	first.srv = serve(t, first.h)
	first.newWitness().end()
	for _, table := range [][]fault{clientFaults, childFaults} {
		for _, f := range table {
			t.Run(f.name, func(t *testing.T) { testFault(t, f, serve) })
			if f.tls {
				t.Run(f.name+", over TLS", func(t *testing.T) { testFault(t, f, serveTLS) })
			}
		}
	}
}

func testFault(t *testing.T, f fault, serve func(testing.TB, *Handler) *httptest.Server) {
	// The garbage collector closes files that are forgotten: those shall show.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	s := &scene{TB: t, h: &Handler{}}
	child(s.h, "asked")
	if f.setup != nil {
		f.setup(s)
	}
	s.mark = "WSBRIDGE_TEST_MARK=" + strconv.FormatInt(time.Now().UnixNano(), 36)
	s.h.Env = append(s.h.Env, s.mark, "PATH="+os.Getenv("PATH"))
	s.log = record(t, s.h)
	s.srv = serve(t, s.h)
	without := s.settled()
	w := s.newWitness()
	before := s.settled()

	rounds := w.rounds.Load()
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
	s.becomes(before)
	until(t, func() bool { return w.rounds.Load() > rounds+1 || w.failed() }, func() string { return "the other session" })
	w.end()
	s.becomes(without)
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

// A witness is a session that goes on while others fail.
type witness struct {
	p      *peer
	rounds atomic.Int64
	stop   chan struct{}
	done   chan struct{}
	err    error // once done
}

func (s *scene) newWitness() *witness {
	w := &witness{stop: make(chan struct{}), done: make(chan struct{})}
	w.p = connectAt(s, s.srv, s.srv.Listener.Addr().String(), handshakeFor(s.srv, "/?echo"))
	if err := w.exchange(); err != nil {
		s.Fatal(err)
	}
	go func() {
		defer close(w.done)
		for w.err == nil {
			select {
			case <-w.stop:
				return
			case <-time.After(time.Millisecond):
				w.err = w.exchange()
			}
		}
	}()
	return w
}

// exchange sends a message and waits for it to come back.
func (w *witness) exchange() error {
	w.p.SetDeadline(time.Now().Add(testLimit))
	m := fmt.Sprint("round ", w.rounds.Add(1))
	if _, err := w.p.Write(text(m)); err != nil {
		return err
	}
	for {
		f, err := w.p.frame()
		if err != nil {
			return err
		}
		if f.op == opPing {
			if _, err := w.p.Write(appendFrame(nil, finBit|opPong, f.payload, true)); err != nil {
				return err
			}
			continue
		}
		if f.op != opText || string(f.payload) != m {
			return fmt.Errorf("sent %q, got %x %.100q", m, f.op, f.payload)
		}
		return nil
	}
}

func (w *witness) failed() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

func (w *witness) end() {
	w.p.t.Helper()
	close(w.stop)
	<-w.done
	if w.err != nil {
		w.p.t.Fatalf("the other session: %v", w.err)
	}
	w.p.write(closing(1000, ""))
	w.p.wantClose(Ending{1000, ""})
	w.p.Close()
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
	seen := int64(-1)
	until(s, func() bool {
		now := n.Load()
		still := now > 0 && now == seen
		seen = now
		time.Sleep(200 * time.Millisecond)
		return still
	}, func() string { return "a stalled client" })
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
