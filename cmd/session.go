package cmd

import (
	"errors"
	"time"
)

// sessionOptions say how long a session lasts.
type sessionOptions struct {
	timeout     time.Duration
	idleTimeout time.Duration
}

func (o *sessionOptions) flags() flagGroup {
	g := newGroup("How long a connection lasts")
	g.DurationVar(&o.timeout, "timeout", 0, "close a connection after this `time` (90s, 12h), with 1001; 0 for never")
	g.DurationVar(&o.idleTimeout, "idletimeout", 0, "close after this `time` without a message in either direction, with 1001; pings do not count; 0 for never")
	return g
}

func (o *sessionOptions) check() error {
	switch {
	case o.timeout < 0:
		return flagProblem("timeout", o.timeout, errors.New("must not be negative"))
	case o.idleTimeout < 0:
		return flagProblem("idletimeout", o.idleTimeout, errors.New("must not be negative"))
	}
	return nil
}
