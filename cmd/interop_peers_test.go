package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// An interopPeer connects, sends what it is told to, and reports what it saw
// until the connection was closed.
type interopPeer func(ctx context.Context, s *interopServer, spec interopSpec) (interopResult, error)

type interopSpec struct {
	Send []string `json:"send"`
	// Leave is the number of messages after which the peer closes; with 0
	// it waits for the server to do so.
	Leave int `json:"leave"`
}

type interopResult struct {
	Messages []string `json:"messages"`
	Code     int      `json:"code"`
	Reason   string   `json:"reason"`
	PageBy   string   `json:"pageBy"` // the protocol of a browser's page
	// Extensions are those agreed on.
	Extensions string `json:"extensions"`
}

const interopPythonScript = `
import asyncio, json, ssl, sys, websockets

async def main():
    spec = json.load(sys.stdin)
    messages = []
    options = {}
    if sys.argv[1].startswith("wss:"):
        options["ssl"] = ssl._create_unverified_context()
    async with websockets.connect(sys.argv[1], max_size=None, **options) as ws:
        try:
            for m in spec["send"]:
                await ws.send(m)
        except websockets.ConnectionClosed:
            pass
        try:
            while spec["leave"] == 0 or len(messages) < spec["leave"]:
                messages.append(await ws.recv())
        except websockets.ConnectionClosed:
            pass
        await ws.close()
    json.dump({"messages": messages, "code": ws.close_code, "reason": ws.close_reason,
        "extensions": " ".join(e.name for e in ws.extensions)}, sys.stdout)

asyncio.run(main())
`

func interopPython(t *testing.T) interopPeer {
	// The python3 that comes first in PATH need not be the one that the
	// distribution installs its modules for.
	candidates := []string{"python3", "/usr/bin/python3", "python"}
	for _, python := range candidates {
		if exec.CommandContext(t.Context(), python, "-c", "import websockets").Run() == nil {
			return interopCommand(python, "-c", interopPythonScript)
		}
	}
	missing(t, "a Python with the module websockets (Debian: python3-websockets)")
	return nil
}

const interopNodeScript = `
const spec = JSON.parse(require("fs").readFileSync(0, "utf8"));
const WebSocket = require("ws");
const messages = [];
const ws = new WebSocket(process.argv[1], { rejectUnauthorized: false });
let extensions;
ws.on("open", () => {
  extensions = ws.extensions;
  spec.send.forEach((m) => ws.send(m));
});
ws.on("message", (data) => {
  messages.push(data.toString());
  if (messages.length === spec.leave) ws.close(1000);
});
ws.on("error", (err) => console.error(err));
ws.on("close", (code, reason) =>
  process.stdout.write(JSON.stringify({ messages, code, reason: reason.toString(), extensions })));
`

func interopNode(t *testing.T) interopPeer {
	if exec.CommandContext(t.Context(), "node", "-e", `require("ws")`).Run() != nil {
		missing(t, "Node with the package ws (npm install ws, and NODE_PATH set to its node_modules)")
	}
	return interopCommand("node", "-e", interopNodeScript)
}

// interopCommand is a peer that is a program: it gets the URL as its last
// argument and the spec on stdin, and prints the result.
func interopCommand(name string, args ...string) interopPeer {
	return func(ctx context.Context, s *interopServer, spec interopSpec) (got interopResult, err error) {
		in, err := json.Marshal(spec)
		if err != nil {
			return got, err
		}
		peer := exec.CommandContext(ctx, name, append(slices.Clone(args), s.url)...)
		peer.Stdin = bytes.NewReader(in)
		var stderr bytes.Buffer
		peer.Stderr = &stderr
		out, err := peer.Output()
		if err != nil {
			return got, fmt.Errorf("%s: %w\n%s", name, err, stderr.String())
		}
		if err := json.Unmarshal(out, &got); err != nil {
			return got, fmt.Errorf("%s printed %.200q: %w\n%s", name, out, err, stderr.String())
		}
		return got, nil
	}
}

const interopPage = `<!DOCTYPE html>
<meta charset="utf-8">
<title>interop</title>
<script>
function run(spec) {
  return new Promise((resolve) => {
    const messages = [];
    const ws = new WebSocket(location.href.replace(/^http/, "ws"));
    ws.onopen = () => spec.send.forEach((m) => ws.send(m));
    ws.onmessage = (event) => {
      messages.push(event.data);
      if (messages.length === spec.leave) ws.close(1000);
    };
    ws.onclose = (event) => resolve({
      messages, code: event.code, reason: event.reason, extensions: ws.extensions,
      pageBy: performance.getEntriesByType("navigation")[0].nextHopProtocol,
    });
  });
}
</script>
`

func interopBrowser(t *testing.T) interopPeer {
	browser := startBrowser(t)
	return func(ctx context.Context, s *interopServer, spec interopSpec) (got interopResult, err error) {
		in, err := json.Marshal(spec)
		if err != nil {
			return got, err
		}
		tab, closeTab := chromedp.NewContext(browser)
		defer closeTab()
		defer context.AfterFunc(ctx, closeTab)()
		if err := chromedp.Do(tab, chromedp.Navigate(s.page)); err != nil {
			return got, err
		}
		return chromedp.Run(tab, chromedp.Evaluate[interopResult](
			"run("+string(in)+")", chromedp.EvalAwaitPromise))
	}
}
