package cmd

import (
	"errors"

	"github.com/wsbridge/wsbridge/bridge"
)

// framingOptions say how bytes and messages correspond.
type framingOptions struct {
	framing string // empty: lines
	binary  bool
}

// The words of --framing.
var framingWords = []string{"lines", "bytes", "nul", "json", "lsp", "channels"}

func (o *framingOptions) add(g flagGroup, binary string) {
	g.Var(newChoice(&o.framing, "", framingWords...), "framing",
		"what a message is: a line, bytes as they come, a record that ends with NUL, a JSON value a line (MCP), the body behind a Content-Length header (LSP, DAP), or the streams of the command one by one, as Kubernetes has them (channels); lines if not given")
	g.BoolVar(&o.binary, "binary", false, binary)
}

func (o *framingOptions) check() error {
	if o.binary && o.framing != "" && o.framing != "bytes" {
		return errors.New("--binary cannot be combined with --framing=" + o.framing + ": it is --framing=bytes")
	}
	return nil
}

// isBytes reports whether messages are binary.
func (o *framingOptions) isBytes() bool { return o.binary || o.framing == "bytes" }

// word is that of --framing; empty: lines.
func (o *framingOptions) word() string {
	if o.isBytes() {
		return "bytes"
	}
	return o.framing
}

func (o *framingOptions) value() bridge.Framing {
	switch {
	case o.isBytes():
		return bridge.Chunks{}
	case o.framing == "nul":
		return bridge.Nul{}
	case o.framing == "json":
		return bridge.JSON{}
	case o.framing == "lsp":
		return bridge.LSP{}
	case o.framing == "channels":
		return bridge.Channels{}
	}
	return nil
}
