package cmd

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"github.com/wsbridge/wsbridge/bridge"
)

// terminalOptions say which standard streams of the command are a terminal.
type terminalOptions struct {
	unbuffer bool
	pty      bool
	ptySize  string // COLUMNSxROWS; empty: the default
}

func (o *terminalOptions) add(g flagGroup) {
	g.BoolVar(&o.unbuffer, "unbuffer", false,
		"give the command a terminal for standard output alone, in raw mode, so that it does not hold lines back; not on Windows")
	g.BoolVar(&o.pty, "pty", false,
		"give the command a terminal, whose size a client asks for by ?cols=80&rows=24; --framing is bytes if not given, and channels can resize; not on Windows")
	g.StringVar(&o.ptySize, "ptysize", "", "the `size` of the terminal for clients that do not say, as COLUMNSxROWS (80x24)")
}

func (o *terminalOptions) check() error {
	switch {
	case o.unbuffer && o.pty:
		return errors.New("--unbuffer cannot be combined with --pty, which is a terminal for all three streams")
	case o.ptySize != "" && !o.pty:
		return errors.New("--ptysize needs --pty")
	case o.unbuffer && runtime.GOOS == "windows":
		return errors.New("--unbuffer needs a terminal that Windows does not have: let the command flush after every line")
	case o.pty && runtime.GOOS == "windows":
		return errors.New("--pty needs a terminal that Windows does not have")
	}
	if _, _, err := o.size(); err != nil {
		return flagProblem("ptysize", o.ptySize, err)
	}
	return nil
}

// terminalBuffer is the --resumebuffer of a terminal. What waits there is still shown
// after the user has interrupted the program that has printed it.
const terminalBuffer = 64 << 10

// preferForTerminal sets what --pty means for other flags that are not given.
func (o *siteOptions) preferForTerminal() {
	if o.framing == "" {
		o.framing = "bytes"
	}
	if !o.given("resumebuffer") {
		o.resumeBuffer = terminalBuffer
	}
}

// size is that of --ptysize; zeros if it is not given.
func (o *terminalOptions) size() (columns, rows int, err error) {
	if o.ptySize == "" {
		return 0, 0, nil
	}
	c, r, _ := strings.Cut(o.ptySize, "x")
	columns, err = strconv.Atoi(c)
	if err == nil {
		rows, err = strconv.Atoi(r)
	}
	if err != nil || min(columns, rows) < 1 || max(columns, rows) > maxTerminal {
		return 0, 0, fmt.Errorf("must be COLUMNSxROWS, from 1 to %d each, like 80x24", maxTerminal)
	}
	return columns, rows, nil
}

// maxTerminal is the most columns or rows, as for clients.
const maxTerminal = 1000

func (o *terminalOptions) value() bridge.Terminal {
	switch {
	case o.unbuffer:
		return bridge.Unbuffered{}
	case o.pty:
		columns, rows, _ := o.size() // was checked
		return bridge.Pty{Columns: columns, Rows: rows}
	}
	return nil
}
