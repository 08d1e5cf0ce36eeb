//go:build unix

package examples

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestMCPServer is about the program, without a page.
func TestMCPServer(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	c := start(t, nil, commandOf(t, "mcp")...).dial(t, "")
	for _, exchange := range []struct{ request, answer string }{
		{`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}`, `"id": 1, "result": {"protocolVersion": "2025-06-18", `},
		{"{\n\"jsonrpc\": \"2.0\",\n\"id\": \"two\", \"method\": \"tools/list\"}", `"id": "two", "result": {"tools": [{"name": "roll"`},
		{`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"roll","arguments":{"dice":1}}}`, `"text": "[`},
		{`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"roll","arguments":{"dice":"x"}}}`, `"error": {"code": -32602`},
		{`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"other"}}`, `"error": {"code": -32602`},
		{`{"jsonrpc":"2.0","id":6,"method":"ping"}`, `"id": 6, "result": {}}`},
	} {
		c.send(`{"jsonrpc":"2.0","method":"notifications/of-something"}`) // gets no answer
		c.send(exchange.request)
		if got := c.read(); !strings.Contains(got, exchange.answer) {
			t.Errorf("%s: %s, want %s", exchange.request, got, exchange.answer)
		}
	}
	c.send("{")
	if _, closed := c.rest(); closed.Code != 1007 {
		t.Errorf("what is no JSON: %v", closed)
	}
}

// Ten sessions of a server that others wrote, with clients that others wrote. Three are
// killed: nothing is left of them, and the other seven go on.
func TestMCPSessions(t *testing.T) {
	t.Parallel()
	modules := nodeModules(t, "ws", "@modelcontextprotocol/sdk", "@modelcontextprotocol/server-everything")
	script := nodeScript(t, modules, "mcp.mjs")
	s := start(t, nil, "--framing=json", "--subprotocol=mcp", filepath.Join(modules, ".bin", "mcp-server-everything"))
	some, others := startMCP(t, script, s.url, 3), startMCP(t, script, s.url, 7)
	some.want("ready 3")
	others.want("ready 7")
	s.wantChildren(10)
	if err := some.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.wantChildren(7)
	others.send("still there?")
	others.want("echoed still there?")
	others.in.Close()
	others.want("left")
	s.wantChildren(0)
}

// An mcpClients is a run of testdata/mcp.mjs.
type mcpClients struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err bytes.Buffer
}

func startMCP(t *testing.T, script, url string, n int) *mcpClients {
	t.Helper()
	c := &mcpClients{t: t}
	ctx, cancel := context.WithTimeout(t.Context(), 10*limit) // they start many processes
	c.cmd = exec.CommandContext(ctx, "node", script, url, strconv.Itoa(n))
	c.cmd.Stderr = &c.err
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.in, c.out = in, bufio.NewReader(out); c.cmd.Start() != nil {
		t.Fatal("node cannot be started")
	}
	t.Cleanup(func() {
		cancel()
		_ = c.cmd.Wait()
		if t.Failed() {
			t.Logf("the clients said:\n%s", c.err.Bytes())
		}
	})
	return c
}

func (c *mcpClients) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Error(err)
	}
}

func (c *mcpClients) want(line string) {
	c.t.Helper()
	if got, err := c.out.ReadString('\n'); got != line+"\n" {
		c.t.Fatalf("the clients say %q, %v, want %q", got, err, line)
	}
}

// mcpPage is about the page: a tool has a field for each argument, and what it answers
// is shown as text.
func mcpPage(t *testing.T, browser context.Context) {
	need(t, "python3")
	s := start(t, nil, commandOf(t, "mcp")...)
	s.page("mcp/index.html")
	p := s.open(t, browser, "", 360, 700, phone...)
	p.untilLines("#server", "dice 1")
	p.untilLines("#tools h2", "roll")
	p.write("#tools input", "3")
	p.until(`/^\[[1-6], [1-6], [1-6]\]: \d+\n$/.test(document.querySelector('output').textContent)`)
	p.usable()
	p.write("#tools input", "[]")
	p.until(`document.querySelector('output.bad')?.textContent.startsWith('cannot do that')`)
	p.write("#tools input", "x")
	p.until(`document.querySelector('output.bad')?.textContent.includes('JSON')`)
	p.usable()
	killed(p, s)
	p.untilLines("output", "") // of the tools of the new server
	p.write("#tools input", "1")
	p.until(`/^\[[1-6]\]: \d+\n$/.test(document.querySelector('output:not(.bad)')?.textContent)`)
}

// mcpPageOfOthers is about the page with a server that others wrote.
func mcpPageOfOthers(t *testing.T, browser context.Context) {
	modules := nodeModules(t, "@modelcontextprotocol/server-everything")
	s := start(t, nil, "--framing=json", "--subprotocol=mcp", "--staticdir=mcp", filepath.Join(modules, ".bin", "mcp-server-everything"))
	p := s.open(t, browser, "", 360, 700, phone...)
	p.until(`document.querySelectorAll('#tools section').length > 10`)
	p.write(`[aria-label=echo] input`, "<b>hello</b>")
	p.untilLines("[aria-label=echo] output", "Echo: <b>hello</b>\n")
	p.usable()
}

// commandOf is what the README says after the name of wsbridge for an example.
func commandOf(t *testing.T, example string) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^ +wsbridge (.*--staticdir=examples/` + example + ` .*)$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("README.md has no command for %s", example)
	}
	return strings.Fields(strings.ReplaceAll(string(found[1]), "examples/", ""))
}
