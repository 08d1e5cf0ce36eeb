package console

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is generated instead of comparing with it")

// The bundler. It is run by its version, not required by go.mod: whoever builds or
// tests wsbridge needs its result only.
const esbuild = "github.com/evanw/esbuild/cmd/esbuild@v0.28.2"

// TestBundle keeps bundle.js in step with the modules; go generate writes it. Its
// first line has their hash, which tells without the bundler that they have changed.
func TestBundle(t *testing.T) {
	modules, err := filepath.Glob("*.js")
	if err != nil {
		t.Fatal(err)
	}
	modules = append(modules, "../client/client.js")
	sum := sha256.New()
	var names []string
	for _, name := range modules {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "bundle.js" {
			continue
		}
		names = append(names, name)
		fmt.Fprintf(sum, "%s\n%s\n", name, unixLines(source))
		if n := strings.Count(string(source), "\n"); n > 300 {
			t.Errorf("%s has %d lines", name, n)
		}
	}
	head := fmt.Sprintf("// Made of main.js and its modules by go generate. Their SHA-256: %x\n", sum.Sum(nil))
	if *update {
		if err := os.WriteFile("bundle.js", append([]byte(head), bundled(t, names)...), 0o644); err != nil {
			t.Fatal(err)
		}
		return // what is embedded here is the bundle from before
	}
	if !strings.HasPrefix(part("bundle.js"), head) {
		t.Error("bundle.js differs from its modules: run go generate ./...")
	}
}

// bundled makes one script of main.js and the modules that it imports, which must be
// all of them. Lines that are not too long keep a change to a module small in the bundle too.
func bundled(t *testing.T, modules []string) []byte {
	dir := t.TempDir()
	out, meta := filepath.Join(dir, "bundle.js"), filepath.Join(dir, "meta.json")
	cmd := exec.Command("go", "run", esbuild, "main.js", "--bundle", "--format=esm", "--charset=utf8",
		"--minify-whitespace", "--line-limit=100", "--outfile="+out, "--metafile="+meta, "--log-level=warning")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("esbuild: %v\n%s", err, text)
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var used struct{ Inputs map[string]any }
	if err := json.Unmarshal(read(meta), &used); err != nil {
		t.Fatal(err)
	}
	for _, name := range modules {
		if _, ok := used.Inputs[name]; !ok {
			t.Errorf("main.js does not use %s", name)
		}
	}
	return read(out)
}
