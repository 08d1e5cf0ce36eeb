package bridge

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"syscall"
)

// leave closes in the middle of a stream: what follows is still in order.
func (c *soakClient) leave() error {
	if err := c.open(Lines{}, "stream", "n", 1_000_000_000); err != nil {
		return err
	}
	i := c.rand.Int64N(5000)
	if err := c.lines(0, i); err != nil {
		return err
	}
	c.rest()
	c.out = append(c.out, closing(4999, "")...)
	if err := c.flush(); err != nil {
		return err
	}
	for ; ; i++ {
		op, err := c.read()
		if err != nil {
			return err
		}
		if op == opClose {
			return c.closed(op, Ending{4999, ""}, false)
		}
		c.want = appendSoakMessage(c.want[:0], c.seed, uint64(i))
		if op != opText || !bytes.Equal(c.payload, c.want) {
			return fmt.Errorf("opcode %x %.40q, want message %d", op, c.payload, i)
		}
	}
}

// reset is gone without a word, whatever is under way.
func (c *soakClient) reset() error {
	do := []string{"echo", "stream", "slow"}[c.rand.IntN(3)]
	if err := c.open(Lines{}, do, "n", 1_000_000_000); err != nil {
		return err
	}
	next := int64(0)
	for n := c.rand.IntN(6); n > 0; n-- {
		end, err := c.burst(next)
		if err != nil {
			return err
		}
		if do != "slow" {
			if err := c.lines(next, end); err != nil {
				return err
			}
		}
		next = end
		c.rest()
	}
	if _, err := c.burst(next); err != nil {
		return err
	}
	return c.SetLinger(0)
}

// half is gone in the middle of a message, of which the child must see
// nothing. What comes before it fits into a pipe, so that the child's end
// does not cut it.
func (c *soakClient) half() error {
	if err := c.open(Lines{}, "echo", "whole", 1); err != nil {
		return err
	}
	i := int64(0)
	for n := c.rand.IntN(20); i < int64(n) && len(c.out) < 16<<10; i++ {
		c.message(i)
	}
	if len(c.out) > 30<<10 {
		c.out, i = nil, 0
	}
	if c.rand.IntN(2) == 0 {
		if err := c.flush(); err != nil {
			return err
		}
		if err := c.lines(0, i); err != nil {
			return err
		}
		c.rest()
	}
	p := append(appendSoakMessage(nil, c.seed, uint64(i)), "never the end"...)
	whole := len(c.out)
	if c.rand.IntN(2) == 0 {
		c.out = appendFrame(c.out, opText, p, true)
	} else {
		c.out = appendFrame(c.out, finBit|opText, p, true)
		c.out = c.out[:whole+1+c.rand.IntN(len(c.out)-whole-1)]
	}
	if err := c.flush(); err != nil {
		return err
	}
	switch c.rand.IntN(3) {
	case 0:
		return c.SetLinger(0)
	case 1: // the server sees an end, not a reset
		if err := c.CloseWrite(); err != nil {
			return err
		}
		io.Copy(io.Discard, c.r)
	}
	return nil
}

func (c *soakClient) exit() error {
	status, n := c.rand.IntN(256), c.rand.Int64N(300)
	if err := c.open(Lines{}, "stream", "n", n, "status", status, "wait", 1); err != nil {
		return err
	}
	c.rest()
	c.message(0)
	if err := c.flush(); err != nil {
		return err
	}
	if c.rand.IntN(2) == 0 {
		c.rest() // the child has gone before anybody reads
	}
	if err := c.lines(0, n); err != nil {
		return err
	}
	want := Ending{4000 + status, fmt.Sprint("exit status ", status)}
	if status == 0 {
		want = Ending{1000, ""}
	}
	return c.ended(want, true)
}

func (c *soakClient) signal() error {
	sig := []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGKILL, syscall.SIGTERM}[c.rand.IntN(4)]
	want := Ending{4128 + int(sig), "signal: " + sig.String()}
	if runtime.GOOS == "windows" { // where there is one, and it is an exit status
		sig, want = syscall.SIGKILL, Ending{4001, "exit status 1"}
	}
	n := c.rand.Int64N(300)
	if err := c.open(Lines{}, "stream", "n", n, "signal", int(sig), "wait", 1); err != nil {
		return err
	}
	c.rest()
	c.message(0)
	if err := c.flush(); err != nil {
		return err
	}
	if err := c.lines(0, n); err != nil {
		return err
	}
	return c.ended(want, true)
}

// orphan has a child that leaves a process behind, perhaps one that holds its
// output.
func (c *soakClient) orphan() error {
	if err := c.open(Lines{}, "stream", "n", 1, "status", 9, "orphan", c.rand.IntN(2)); err != nil {
		return err
	}
	if err := c.lines(0, 1); err != nil {
		return err
	}
	c.rest()
	return c.ended(Ending{4009, "exit status 9"}, true)
}
