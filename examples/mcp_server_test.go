//go:build unix

package examples

import (
	"strings"
	"testing"
)

// The MCP server survives requests that are malformed, and answers those that have an id.
func TestMCPMalformed(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	c := start(t, nil, "--framing=json", "mcp/server.py").dial(t, "")
	c.send("[5]")
	c.send(`{"id": 1, "method": "tools/call", "params": {"name": "roll", "arguments": null}}`)
	if got := c.read(); !strings.Contains(got, `"error"`) {
		t.Errorf("got %s, want an error", got)
	}
	c.send(`{"id": 2, "method": "ping"}`)
	if got := c.read(); !strings.Contains(got, `"result"`) {
		t.Errorf("got %s, want an answer", got)
	}
}
