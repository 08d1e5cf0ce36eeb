package wire

import "time"

const (
	closeLimit  = 5 * time.Second // for the peer to answer a close frame
	lingerLimit = time.Second     // for it to end the connection when there is nothing more to say
)

// Close ends the WebSocket with a close frame, unless it has ended already, and
// the connection within limit. It returns how it was really closed: by the close
// frame that it has sent or, when it could send none, that of the peer, or by
// none. Receive must have returned, or Stop have been called.
func (c *Conn) Close(end Ending, limit time.Duration) Ending {
	c.life.stop()
	c.enter(resumed, time.Time{})
	if !c.isOver() {
		c.handshake(end, limit)
	}
	_ = c.ws.CloseNow() // lets go of the library's finalizer
	said, ok := c.writer.said()
	switch {
	case ok:
		return said
	case end.Code == codeAbnormal:
		return end
	case c.reader.closed != nil: // by the peer, who did not wait for the answer
		return *c.reader.closed
	case c.lost() != Lost:
		return c.lost()
	}
	return Ending{codeAbnormal, Lost.Reason + " before " + end.String()}
}

// Said is the close frame that was sent, or is being sent, if there is one.
func (c *Conn) Said() (Ending, bool) {
	c.writer.mu.Lock()
	defer c.writer.mu.Unlock()
	if c.writer.closing == nil {
		return Ending{}, false
	}
	return *c.writer.closing, true
}

// PeerClosed is, after Close, the close frame of a peer that was the first to send
// one.
func (c *Conn) PeerClosed() (end Ending, ok bool) {
	if c.reader.closed == nil {
		return Ending{}, false
	}
	return *c.reader.closed, true
}

// Answered reports, after Close, whether the peer has answered the close frame,
// as it does when it has read all that was before. One that says 1001 to another
// code was about to leave by itself, and may not have read it.
func (c *Conn) Answered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fate.answered
}

func (c *Conn) setAnswered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fate.answered = true
}

// Say sends a close frame while Receive goes on: the peer may send more before it
// answers. It reports whether it was the first close frame.
func (c *Conn) Say(end Ending) bool { return c.control(closeFrame(end, c.masked)) == nil }

// Respond answers the peer's close frame, if it waits for that (Options.AnswerAfter). It
// is called when Receive has returned.
func (c *Conn) Respond() {
	if c.reader.answer != nil {
		c.reader.answer.Stop() // or it is about to do the same
		_ = c.control(closeFrame(*c.reader.closed, c.masked))
	}
}

// handshake is the close handshake, in the reader's place. The peer may be in the middle
// of a frame, and send more before its answer: until that is there nothing else ends,
// because proxies drop what is under way as soon as one side ends.
func (c *Conn) handshake(end Ending, limit time.Duration) {
	if end.Code == codeAbnormal { // says that there was no close frame
		c.Cut()
		c.finish(0)
		return
	}
	defer time.AfterFunc(limit, c.Cut).Stop()
	linger := lingerLimit
	if c.reader.closed != nil { // and may wait for its answer
		c.Respond()
	} else if c.control(closeFrame(end, c.masked)) == nil {
		said := c.awaitClose()
		if said != nil && (said.Code != codeGoingAway || end.Code == codeGoingAway) {
			c.setAnswered()
		}
		if said != nil && !c.t.saysGoodbye() {
			linger = 0 // the peer has closed too, with whatever code
		}
	}
	c.finish(linger)
}

// awaitClose reads up to the peer's close frame, and drops what comes before. It returns
// nil if that frame does not come.
func (c *Conn) awaitClose() (said *Ending) {
	r := &c.reader
	for {
		for r.left > 0 {
			if len(r.in) == 0 && c.fill() != nil {
				return nil
			}
			n := min(uint64(len(r.in)), r.left)
			r.in, r.left = r.in[n:], r.left-n
		}
		if c.nextFrame() != nil {
			said, r.closed = r.closed, nil // it has answered
			return said
		}
	}
}

// finish ends the connection without destroying what is under way. It waits
// until everything is written. If the peer may still be sending, it then says
// that nothing follows, and discards what comes until the peer ends its side
// too: a socket closed with bytes unread is reset, and a reset overtakes data
// (RFC 6455, section 7.1.1). The caller has taken the reader's place.
func (c *Conn) finish(linger time.Duration) {
	c.enter(finished, time.Time{})
	c.life.stop() // after which nobody else begins to write
	if c.reader.answer != nil {
		c.reader.answer.Stop()
	}
	t := time.AfterFunc(closeLimit, c.Cut)
	defer t.Stop()
	c.writer.awaitWriters()
	if linger > 0 && c.t.closeWrite() {
		t.Reset(linger)
		c.discard()
	}
	c.Cut()
	c.reader.in = nil
	c.drop()
}
