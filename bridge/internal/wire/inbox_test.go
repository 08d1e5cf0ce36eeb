package wire

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
)

// A collector is an Inbox that keeps what it takes. It holds Receive to the
// terms: what has been handed over, or has moved, is overwritten.
type collector struct {
	room  int              // bytes that a message finds, at least
	taken func()           // called after each message; may be nil
	waits func(begun bool) // called in each Wait; may be nil

	mu     sync.Mutex
	whole  []string
	kinds  []Kind // of whole
	open   []byte // pieces of a message that has not come whole
	pieces []int  // sizes of what was handed over
	buf    []byte
}

func (c *collector) Room(message []byte, n int) []byte {
	if message == nil && c.buf != nil {
		scratch(c.buf)
	}
	if message != nil && cap(message)-len(message) >= n {
		return message
	}
	room := make([]byte, len(message), max(len(message)+n, 2*len(message), c.room))
	copy(room, message)
	scratch(message)
	c.buf = room
	return room
}

var rubbish = bytes.Repeat([]byte("#"), LargeBuffer)

// scratch overwrites all of a buffer that is no longer lent.
func scratch(p []byte) {
	for p = p[:cap(p)]; len(p) > 0; {
		p = p[copy(p, rubbish):]
	}
}

func (c *collector) Message(kind Kind, payload []byte, whole bool) {
	c.mu.Lock()
	c.open = append(c.open, payload...)
	c.pieces = append(c.pieces, len(payload))
	if whole {
		c.whole, c.kinds = append(c.whole, string(c.open)), append(c.kinds, kind)
		c.open = c.open[:0]
	}
	c.mu.Unlock()
	scratch(payload[:len(payload):len(payload)])
	if c.taken != nil {
		c.taken()
	}
}

func (c *collector) Wait(begun bool) {
	if c.waits != nil {
		c.waits(begun)
	}
}

// messages are those that have come whole.
func (c *collector) messages() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.whole)
}

// want reports other messages than these.
func (c *collector) want(t testing.TB, messages ...string) {
	t.Helper()
	if got := c.messages(); !slices.Equal(got, messages) {
		t.Errorf("the messages are %s, want %s", brief(got), brief(messages))
	}
}

func brief(messages []string) (s string) {
	for i, m := range messages {
		if i == 10 {
			return s + "and more"
		}
		s += fmt.Sprintf("%.40q (%d bytes) ", m, len(m))
	}
	return s
}
