package bridge

import (
	"bytes"
	"fmt"
)

// close ends the session from the client's side.
func (c *soakClient) close() error {
	bye := Ending{1000 + 3000*c.rand.IntN(2), "done"}
	c.out = append(c.out, closing(bye.Code, bye.Reason)...)
	if err := c.flush(); err != nil {
		return err
	}
	return c.ended(bye, false)
}

// burst sends some messages from message i on, of which the last is i before
// the one that it returns. They are less than the backlog can hold, so that
// nobody need read meanwhile.
func (c *soakClient) burst(i int64) (int64, error) {
	for n := c.rand.IntN(200); n >= 0 && len(c.out) < 100<<10; n-- {
		c.message(i)
		i++
	}
	return i, c.flush()
}

func (c *soakClient) echo() error {
	if err := c.open(Lines{}, "echo"); err != nil {
		return err
	}
	for next, rounds := int64(0), 10; rounds > 0 && !c.over.Load(); rounds-- {
		end, err := c.burst(next)
		if err != nil {
			return err
		}
		for ; next < end; next++ {
			if err := c.expect(next); err != nil {
				return err
			}
		}
		c.rest()
	}
	return c.close()
}

// binary compares a stream of bytes: where its messages begin is not kept.
func (c *soakClient) binary() error {
	if err := c.open(Chunks{}, "copy"); err != nil {
		return err
	}
	for rounds := 10; rounds > 0 && !c.over.Load(); rounds-- {
		var all []byte
		for n := c.rand.IntN(100); n >= 0 && len(all) < 100<<10; n-- {
			p := make([]byte, c.rand.IntN(1<<c.rand.IntN(17)))
			for i := range p {
				p[i] = byte(c.rand.Uint32())
			}
			all = append(all, p...)
			c.add(opBinary, p)
		}
		if err := c.flush(); err != nil {
			return err
		}
		for len(all) > 0 {
			op, err := c.read()
			if err != nil {
				return err
			}
			rest, ok := bytes.CutPrefix(all, c.payload)
			if op != opBinary || !ok {
				return fmt.Errorf("opcode %x, %d bytes that are not what was sent", op, len(c.payload))
			}
			all = rest
		}
		c.rest()
	}
	return c.close()
}

// lines reads the messages from i to n.
func (c *soakClient) lines(i, n int64) error {
	for ; i < n; i++ {
		if err := c.expect(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *soakClient) stream() error {
	n := c.rand.Int64N(20_000)
	if err := c.open(Lines{}, "stream", "n", n, "status", 0); err != nil {
		return err
	}
	if err := c.lines(0, n); err != nil {
		return err
	}
	return c.ended(Ending{1000, ""}, true)
}

func (c *soakClient) stall() error {
	n := 1 + c.rand.Int64N(5000)
	if err := c.open(Lines{}, "stream", "n", n, "status", 3); err != nil {
		return err
	}
	c.SetReadBuffer(64 << 10)
	for i := int64(0); i < n; {
		end := min(n, i+c.rand.Int64N(3000))
		if err := c.lines(i, end); err != nil {
			return err
		}
		i = end
		c.rest()
	}
	return c.ended(Ending{4003, "exit status 3"}, true)
}

// slow sends more than its child reads for a while, and at times more than
// the backlog holds.
func (c *soakClient) slow() error {
	if err := c.open(Lines{}, "slow"); err != nil {
		return err
	}
	next := int64(0)
	for total := c.rand.IntN(1500 << 10); total > 0 && !c.over.Load(); {
		end, err := c.burst(next)
		if err != nil {
			return err
		}
		total -= 100 << 10
		next = end
	}
	c.add(opText, []byte("end"))
	if err := c.flush(); err != nil {
		return err
	}
	op, err := c.read()
	if err != nil {
		return err
	}
	if want := fmt.Sprint(next); op != opText || string(c.payload) != want {
		return fmt.Errorf("the child has read %s messages, %s were sent", c.payload, want)
	}
	return c.close()
}

func (c *soakClient) pings() error {
	if err := c.open(Lines{}, "echo"); err != nil {
		return err
	}
	for i := int64(0); i < 30 && !c.over.Load(); i++ {
		c.pong = ""
		last := ""
		for n := c.rand.IntN(20); n >= 0; n-- {
			last = fmt.Sprint(i, " ", n)
			c.out = append(c.out, ping(last)...)
		}
		c.message(i)
		if err := c.flush(); err != nil {
			return err
		}
		for echoed := false; !echoed || c.pong != last; {
			op, err := c.read()
			if err != nil {
				return err
			}
			if op == opPong {
				continue
			}
			c.want = appendSoakMessage(c.want[:0], c.seed, uint64(i))
			if op != opText || echoed || !bytes.Equal(c.payload, c.want) {
				return fmt.Errorf("opcode %x %.40q, want message %d", op, c.payload, i)
			}
			echoed = true
		}
		if i%3 == 0 {
			c.rest()
		}
	}
	return c.close()
}
