//go:build unix

package examples

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// An editing is what testdata/lsp.mjs does, and what it says of it.
type editing struct {
	File       string         `json:"file"`
	LanguageID string         `json:"languageId"`
	Text       string         `json:"text"`
	At         map[string]int `json:"at"`       // where it asks for completions
	Shutdown   bool           `json:"shutdown"` // and not only exit

	Messages, Labels []string
	Lines            []int
	Code             int
	Reason           string
}

// Language servers that others wrote, with a client that others wrote: a document with
// an error gets its diagnostic, completions come, and the close code is as the server's
// exit status says.
func TestLanguageServers(t *testing.T) {
	t.Parallel()
	modules := nodeModules(t, "ws", "vscode-ws-jsonrpc", "typescript-language-server", "typescript")
	script := nodeScript(t, modules, "lsp.mjs")
	for _, test := range []struct {
		command          []string
		file, language   string
		text             string
		message, label   string
		line             int
		withoutShutdown  int // close code
		reasonOfShutdown string
	}{
		{[]string{"pylsp"}, "a.py", "python", "import math\n# π·r² 🌍\nx = radus\nmath.sq", "undefined name 'radus'", "sqrt(x)", 2, 1000, ""},
		{[]string{filepath.Join(modules, ".bin", "typescript-language-server"), "--stdio"}, "a.ts", "typescript",
			"// π·r² 🌍\n\nconst x: number = \"a\"\nMath.sq", "Type 'string' is not assignable to type 'number'.", "sqrt", 2, 4001, "exit status 1"},
	} {
		t.Run(filepath.Base(test.command[0]), func(t *testing.T) {
			t.Parallel()
			need(t, test.command[0])
			s := start(t, nil, append([]string{"--framing=lsp"}, test.command...)...)
			for _, shutdown := range []bool{true, false} {
				got := editing{
					File: "/of/nobody/" + test.file, LanguageID: test.language, Text: test.text,
					At: map[string]int{"line": 3, "character": 7}, Shutdown: shutdown,
				}
				got.do(t, script, s.url)
				code, reason := 1000, ""
				if !shutdown {
					code, reason = test.withoutShutdown, test.reasonOfShutdown
				}
				if got.Code != code || got.Reason != reason {
					t.Errorf("shutdown %v: closed with %d %q, want %d %q", shutdown, got.Code, got.Reason, code, reason)
				}
				if !slices.Contains(got.Messages, test.message) || !slices.Contains(got.Lines, test.line) || !slices.Contains(got.Labels, test.label) {
					t.Errorf("diagnostics %q in the lines %d, completions %.200q", got.Messages, got.Lines, got.Labels)
				}
			}
			s.wantChildren(0)
		})
	}
}

func (e *editing) do(t *testing.T, script, url string) {
	t.Helper()
	in, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*limit) // it starts many processes
	defer cancel()
	editor := exec.CommandContext(ctx, "node", script, url)
	var stderr bytes.Buffer
	editor.Stdin, editor.Stderr = bytes.NewReader(in), &stderr
	out, err := editor.Output()
	if err == nil {
		err = json.Unmarshal(out, e)
	}
	if err != nil {
		t.Fatalf("the editor: %v, %s\n%s", err, out, stderr.Bytes())
	}
}

// A client that is gone without a word takes the server with it, and the compiler that
// this has started.
func TestLanguageServerKilled(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("processes are found on Linux only")
	}
	modules := nodeModules(t, "typescript-language-server", "typescript")
	s := start(t, nil, "--framing=lsp", filepath.Join(modules, ".bin", "typescript-language-server"), "--stdio")
	c := s.dial(t, "")
	c.send(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}`)
	for !strings.Contains(c.read(), `"id":1`) {
	}
	if n := len(s.processes(0)); n < 3 {
		t.Errorf("%d processes, want wsbridge, the server and the compiler", n)
	}
	c.conn.CloseNow()
	s.wantChildren(0)
	if !eventually(func() bool { return len(s.processes(0)) == 1 }) {
		t.Errorf("after the client's end: the processes %v", s.processes(0))
	}
}

// nodeModules returns the folder of NODE_PATH that has these packages.
func nodeModules(t *testing.T, packages ...string) string {
	t.Helper()
	need(t, "node")
	for _, dir := range filepath.SplitList(os.Getenv("NODE_PATH")) {
		absent := func(name string) bool {
			_, err := os.Stat(filepath.Join(dir, name, "package.json"))
			return err != nil
		}
		if !slices.ContainsFunc(packages, absent) {
			return dir
		}
	}
	missing(t, "packages for Node: npm install "+strings.Join(packages, " ")+", with NODE_PATH set to their node_modules")
	return ""
}

// nodeScript copies a script to where it finds its modules.
func nodeScript(t *testing.T, modules, name string) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err == nil {
		err = os.Symlink(modules, filepath.Join(dir, "node_modules"))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// lspPage is about the page: what is wrong is shown and marked, and what is chosen of the
// completions is in the text.
func lspPage(t *testing.T, browser context.Context) {
	need(t, "pylsp")
	s := start(t, nil, commandOf(t, "lsp")...)
	s.page("lsp/index.html")
	p := s.open(t, browser, "", 360, 700, phone...)
	p.untilLines("#problems button", "5:22undefined name 'radus'")
	p.until(`document.querySelector('#marks mark').textContent.startsWith('radus')`)
	p.usable()
	if !p.ask(`document.querySelector('#text').scrollHeight <= document.querySelector('#text').clientHeight`) {
		t.Error("the text does not fit into its field")
	}

	p.ask(`document.querySelector('#problems button').click(), true`)
	p.do(chromedp.KeyEvent("radius # "))
	p.until(`document.querySelector('#count').textContent === 'No problems'`)
	p.untilLines("#marks mark")

	p.ask(`(t => t.setSelectionRange(t.value.length, t.value.length))(document.querySelector('#text')), true`)
	p.do(chromedp.KeyEvent("r"))
	p.untilLines("#choices button", "sqrt(x)")
	p.usable()
	for _, key := range []string{kb.ArrowDown, kb.Enter} {
		p.do(chromedp.KeyEvent(key))
	}
	p.until(`document.querySelector('#text').value.endsWith('\nmath.sqrt')`)
	p.untilLines("#choices button")

	// What was typed is what a new server gets.
	killed(p, s)
	p.until(`document.querySelector('#count').textContent === 'No problems'`)
	p.do(chromedp.KeyEvent("\nradus"))
	p.untilLines("#problems button", "10:1undefined name 'radus'")
}
