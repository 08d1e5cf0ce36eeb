package wire

// The messages of a session that outlives its connections are numbered (Log). Then a
// ping carries the number of the last message that was sent before it, where it
// otherwise carries a count of bytes. The pong says that the peer has that message.

// numbers keeps track of the numbered messages that a Conn sends.
type numbers struct {
	acknowledged func(n int64)

	sent int64 // the last that was given to the socket, guarded by the writer's mu

	// Guarded by the life's mu.
	acked int64  // the last that the peer is known to have
	marks []mark // of the pings that it has not answered
}

// A mark is how much was sent before a ping.
type mark struct{ number, given int64 }

// maxMarks bounds the pings that are remembered for what they say of bytes.
const maxMarks = 64

// Number makes the connection one whose messages are numbered. The last that
// the peer has had is sent, and acknowledged is told of each later one that the
// peer says it has; it must not call the Conn. Number must be called before
// anything else is done with the Conn.
func (c *Conn) Number(sent int64, acknowledged func(n int64)) {
	c.life.numbers = &numbers{acknowledged: acknowledged, sent: sent, acked: sent}
}

// AnswerPings makes a pong say that what came before its ping has arrived: a ping is
// answered when that has been given to the Inbox, and taken says that it was taken
// there. It is called by the goroutine that receives. AnswerPings must be called
// before anything else is done with the Conn.
func (c *Conn) AnswerPings(taken func() bool) { c.life.taken = taken }

// answers reports whether a ping is answered that has come.
func (c *Conn) answers() bool {
	r := &c.reader
	if c.life.taken == nil {
		return true
	}
	if r.inbox == nil {
		return false // nothing is taken any more
	}
	c.in.set(r.taken)
	r.inbox.Wait(r.left > 0 || r.checker.open)
	return c.life.taken()
}

// Ping pings the peer, so that it tells soon what it has.
func (c *Conn) Ping() {
	c.life.mu.Lock()
	defer c.life.mu.Unlock()
	if !c.life.stopped {
		c.ping()
	}
}

// mark remembers how many bytes were sent before a ping with a number. Of several
// pings with the same number, the first counts.
func (n *numbers) mark(number, given int64) {
	if last := len(n.marks) - 1; last < maxMarks && (last < 0 || n.marks[last].number < number) {
		n.marks = append(n.marks, mark{number, given})
	}
}

// isMarked reports whether there was a ping with a number, or a later one.
func (n *numbers) isMarked(number int64) bool {
	last := len(n.marks) - 1
	return number <= n.acked || last >= 0 && n.marks[last].number >= number
}

// acknowledge takes a pong with a number, and returns how many bytes the peer has read
// at least. A number that was not sent, or that the peer was known to have, says
// nothing. The life is locked.
func (c *Conn) acknowledge(number int64) (read int64) {
	n := c.life.numbers
	_, sent, _ := c.position()
	if number > sent || number < n.acked {
		return 0
	}
	for len(n.marks) > 0 && n.marks[0].number <= number {
		read = n.marks[0].given
		n.marks = n.marks[1:]
	}
	if number > n.acked {
		n.acked = number
		n.acknowledged(number)
	}
	return read
}
