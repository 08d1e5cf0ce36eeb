package cmd

import (
	"errors"
	"runtime"

	"github.com/wsbridge/wsbridge/bridge"
)

// terminalOptions say which standard streams of the command are a terminal.
type terminalOptions struct {
	unbuffer bool
}

func (o *terminalOptions) add(g flagGroup) {
	g.BoolVar(&o.unbuffer, "unbuffer", false,
		"give the command a terminal for standard output alone, in raw mode, so that it does not hold lines back; not on Windows")
}

func (o *terminalOptions) check() error {
	if o.unbuffer && runtime.GOOS == "windows" {
		return errors.New("--unbuffer needs a terminal that Windows does not have: let the command flush after every line")
	}
	return nil
}

func (o *terminalOptions) value() bridge.Terminal {
	if o.unbuffer {
		return bridge.Unbuffered{}
	}
	return nil
}
