package wire

import (
	"strconv"
	"sync"
	"time"
)

// Whether the peer lives is asked at each ping interval, by one rule:
//
//   - While the writer waits for the socket, the peer lives as long as its
//     system takes bytes within two intervals and the time that it needs to read
//     what a system takes at a time (step). A ping would be stuck behind them,
//     and whatever else the peer says shows no reader.
//   - While it does not, the peer lives as long as something comes from it
//     within two intervals and the time that it needs to read what was sent
//     before the first ping that it has not answered. That its system takes bytes
//     says nothing: the buffers between hold megabytes for a client that is
//     frozen. While the reader waits for the program, nothing can come.
//
// A peer that lives reads at least slowest bytes a second. To know what it has
// read, a ping carries how many bytes of data were sent before it, in decimal,
// unless all of them are known to have been read.
//
// Intervals are counted, not the time: a server that was itself suspended must
// not take its clients for dead.

// slowest is how many bytes a second a client must read to be sure not to be
// taken for dead: 8 KB, and some for clocks and headers.
const slowest = 7 << 10

// step is how many bytes at most the system of a slow client takes at a time.
// Before there is room for a packet it takes none, and over a loopback that is
// 64 KiB.
const step = 64 << 10

// A life asks whether the peer lives.
type life struct {
	interval time.Duration
	lost     func(Ending)

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	pongs   chan struct{} // holds one when a pong has come; nil before Ask
	silent  chan struct{} // closed when the peer was found dead after Ask; nil before
	pinged  bool          // a ping has been sent
	misses  int           // intervals without a sign of life
	asked   int64         // bytes sent before the first ping without an answer
	read    int64         // bytes that the peer has read, as its pongs tell
	reached int64         // bytes that its system had taken at the last interval
	numbers *numbers      // of messages; nil: they have none
	taken   func() bool   // decides whether a ping is answered; nil: it always is
	timing  *timing       // nil: nobody wants to know
}

// A timing measures how long the newest ping takes that can be told from the one before.
type timing struct {
	told    func(time.Duration)
	payload string    // of the ping
	sent    time.Time // zero: it was answered
}

// begins takes note of a ping that is sent.
func (t *timing) begins(payload []byte) {
	if t != nil && (t.sent.IsZero() || t.payload != string(payload)) {
		t.payload, t.sent = string(payload), time.Now()
	}
}

// ends takes note of a pong.
func (t *timing) ends(payload []byte) {
	if t != nil && !t.sent.IsZero() && t.payload == string(payload) {
		t.told(time.Since(t.sent))
		t.sent = time.Time{}
	}
}

// Watch begins to look whether the peer lives, and pings it if there is an
// interval. lost is called when the peer is found dead or a write has failed,
// because Receive may be waiting in the Inbox and unable to tell.
func (c *Conn) Watch(lost func(Ending)) {
	l := &c.life
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = lost
	if l.interval > 0 {
		l.timer = time.AfterFunc(l.interval, c.look)
	}
}

// look is called at each interval.
func (c *Conn) look() {
	l := &c.life
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return
	}
	if dead := c.isDead(); dead && l.silent != nil {
		close(l.silent)
		return
	} else if dead {
		c.cutFor(PeerDead)
		l.lost(PeerDead)
		return
	}
	c.ping()
	l.timer.Reset(l.interval)
}

// isDead counts an interval, and reports whether it was one too many.
func (c *Conn) isDead() bool {
	l := &c.life
	state := c.state.And(^uint32(heard))
	waits, reached := c.writer.waits(), c.Reached()
	unread := max(0, l.asked-l.read)
	lives := state&(heard|busy) != 0 || !l.pinged
	if waits {
		unread, lives = step, reached > l.reached
	}
	if l.misses++; lives {
		l.misses = 0
	}
	l.reached = reached
	perInterval := max(1, int64(l.interval.Seconds()*slowest))
	return l.misses >= 2+int((unread+perInterval-1)/perInterval)
}

// ping asks the peer how far it has read. Its life is locked.
func (c *Conn) ping() bool {
	l := &c.life
	given, number, queued := c.position()
	if l.misses == 0 {
		l.asked = given
	}
	if queued && l.pinged && (l.numbers == nil || l.numbers.isMarked(number)) {
		return true // one more would be no news when the writer is done
	}
	var payload []byte
	switch {
	case l.numbers != nil:
		payload = strconv.AppendInt(nil, number, 10)
		l.numbers.mark(number, given)
	case given > l.read:
		payload = strconv.AppendInt(nil, given, 10)
	}
	l.timing.begins(payload)
	if c.control(appendFrame(nil, finBit|opPing, payload, c.masked)) != nil {
		return false
	}
	l.pinged = true
	return true
}

// Ask has the peer tell how far it has read, when there will be nothing more to
// read. It reports whether there is something that the peer is not known to have
// read, and it could be asked. From then on a peer that is found dead is not
// cut, because it may yet read a close frame: Silent tells of it.
func (c *Conn) Ask() bool {
	c.life.mu.Lock()
	defer c.life.mu.Unlock()
	if l := &c.life; l.silent == nil {
		l.pongs, l.silent = make(chan struct{}, 1), make(chan struct{})
	}
	return c.unread() > 0 && c.ping()
}

// Silent is closed when the peer was found dead after Ask.
func (c *Conn) Silent() <-chan struct{} { return c.life.silent }

// Pongs has an element when a pong has come, since Ask and since it was last
// received from.
func (c *Conn) Pongs() <-chan struct{} { return c.life.pongs }

// Unread is how many bytes of data the peer is not known to have read.
func (c *Conn) Unread() int64 {
	c.life.mu.Lock()
	defer c.life.mu.Unlock()
	return c.unread()
}

func (c *Conn) unread() int64 {
	c.writer.mu.Lock()
	defer c.writer.mu.Unlock()
	return c.writer.given - c.life.read
}

// Reached is how many bytes of data the peer's system has taken, as far as that
// can be told, or else this system.
func (c *Conn) Reached() int64 { return c.writer.taken.Load() - int64(c.t.inFlight()) }

// gotPong takes a pong. One that nobody asked for says nothing (RFC 6455, section
// 5.5.3).
func (c *Conn) gotPong(payload []byte) {
	l := &c.life
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timing.ends(payload)
	n, err := strconv.ParseInt(string(payload), 10, 64)
	switch {
	case err != nil:
	case l.numbers != nil:
		l.read = max(l.read, c.acknowledge(n))
	case n > l.read && n <= l.read+c.unread():
		l.read = n
	}
	select {
	case l.pongs <- struct{}{}: // nil, if nobody has asked
	default:
	}
}

// tell tells that the connection is lost, unless nobody is to know any more.
func (l *life) tell(end Ending) {
	l.mu.Lock()
	lost := l.lost
	if l.stopped {
		lost = nil
	}
	l.mu.Unlock()
	if lost != nil {
		lost(end)
	}
}

func (l *life) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	if l.timer != nil {
		l.timer.Stop()
	}
}
