package cmd

import (
	"errors"
	"fmt"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// lingerOptions say how long connect waits after the end of its input.
type lingerOptions struct {
	linger      time.Duration // negative: until the server closes
	timeout     time.Duration // 0: no limit
	lingerGiven func() bool
	timeGiven   func() bool
}

func (o *lingerOptions) add(flags flagGroup) {
	o.linger = time.Second
	flags.Var(keepValue{&o.linger}, "linger", "after the end of the input, close when nothing has come for `time`; 0 closes at once, forever leaves it to the server")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Second,
		"before that, wait up to `time` for an answer if nothing has come since the last message was sent, and fail if nothing comes; 0 for no limit")
	o.lingerGiven = func() bool { return flags.Changed("linger") }
	o.timeGiven = func() bool { return flags.Changed("timeout") }
}

func (o *lingerOptions) check() error {
	switch {
	case o.timeout < 0:
		return flagProblem("timeout", o.timeout, errors.New("must not be negative"))
	case o.timeGiven() && o.linger == 0:
		return errors.New("--timeout cannot be combined with --linger=0, which waits for nothing")
	case o.timeGiven() && o.linger < 0:
		return errors.New("--timeout cannot be combined with --linger=forever, which never gives up")
	}
	return nil
}

// apply has the client wait.
func (o *lingerOptions) apply(c *bridge.Client) {
	c.Linger, c.AnswerTimeout = o.linger, offIfZero(o.timeout)
	if o.linger < 0 {
		c.AnswerTimeout = 0
	}
}

// noAnswer is the error of a client that has waited in vain.
func (o *lingerOptions) noAnswer() error {
	return hint.Add(fmt.Errorf("no answer within %v of the end of the input", o.timeout),
		"--timeout=TIME waits longer; --linger=0 expects no answer")
}
