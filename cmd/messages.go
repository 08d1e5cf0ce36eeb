package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/bridge"
)

// messageOptions are those of the command and its messages.
type messageOptions struct {
	commandDir string
	framingOptions
	terminalOptions
	passStderr   bool
	subprotocols []string
	compress     bool
	maxForks     int
	takeOver     bool
	maxFrameSize int
	closeMS      int
	pingMS       int
	passEnv      []string

	reverseLookup bool
}

func (o *messageOptions) flags() flagGroup {
	g := newGroup("The command and its messages")
	g.StringVar(&o.commandDir, "dir", "", "run the program below `dir` that the path of the URL names, instead of COMMAND; the rest of the path is its PATH_INFO")
	must(cobra.MarkFlagDirname(g.FlagSet, "dir"))
	o.framingOptions.add(g, "send and receive bytes in binary messages, as --framing=bytes does")
	o.terminalOptions.add(g)
	g.BoolVar(&o.passStderr, "passstderr", false, `send standard error to the client too; each line is {"stream":"stdout"|"stderr","data":"..."}`)
	g.Var(newList(&o.subprotocols, commaSeparated(parseSubprotocol)), "subprotocol",
		"subprotocols that the command speaks (`NAMES`, comma separated); the first of these that a client offers is selected, and is WEBSOCKET_PROTOCOL")
	g.BoolVar(&o.compress, "compress", false, "compress messages of 512 bytes or more for clients that offer it (permessage-deflate)")
	g.IntVar(&o.maxForks, "maxforks", bridge.DefaultMaxForks, "run at most `n` commands at once, refuse more with 429; 0 for no limit")
	g.BoolVar(&o.takeOver, "takeover", false,
		"when --maxforks or --maxperip is reached, let a new client in and end the oldest connection of the same program, with 4409")
	g.IntVar(&o.maxFrameSize, "maxframesize", bridge.DefaultMaxMessageSize,
		"close with 1009 when a client's message has more than `n` bytes; 0 for no limit: then one message can fill the memory")
	g.IntVar(&o.closeMS, "closems", 0, "wait `ms` milliseconds longer at each step of ending a command")
	g.IntVar(&o.pingMS, "pingms", int(bridge.DefaultPingInterval.Milliseconds()),
		"ping clients every `ms` milliseconds; drop those that answer none for two intervals plus the time to read, at 7 KiB/s, what was sent before; 0 for never")
	g.Var(newList(&o.passEnv, commaSeparated(parseEnvRule), defaultPassEnv(runtime.GOOS)), "passenv",
		"pass on these environment variables (`NAMES`, comma separated); NAME=value sets one, * passes all")
	g.BoolVar(&o.reverseLookup, "reverselookup", false,
		"set REMOTE_HOST to the name of a client's address, if the name resolves to that address again; this takes a second at most")
	return g
}

// maxMS is the longest time that a flag may give: a day, far from where
// a time.Duration would overflow.
const maxMS = 24 * 60 * 60 * 1000

func (o *messageOptions) check() error {
	switch {
	case o.passStderr && o.pty:
		return errors.New("--passstderr cannot be combined with --pty: a terminal has one stream")
	case o.passStderr && o.binary:
		return errors.New("--passstderr cannot be combined with --binary")
	case o.passStderr && o.framing != "" && o.framing != "lines":
		return errors.New("--passstderr cannot be combined with --framing=" + o.framing)
	case o.closeMS < 0 || o.closeMS > maxMS:
		return flagProblem("closems", o.closeMS, fmt.Errorf("must be between 0 and %d", maxMS))
	case o.pingMS > maxMS:
		return flagProblem("pingms", o.pingMS, fmt.Errorf("must be at most %d", maxMS))
	}
	return cmp.Or(o.terminalOptions.check(), o.framingOptions.check())
}
