package console

import (
	"crypto/sha256"
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
		bundle, err := exec.Command("go", "run", esbuild, "main.js", "--bundle", "--format=esm", "--charset=utf8").Output()
		if err != nil {
			if exit, ok := err.(*exec.ExitError); ok {
				t.Fatalf("%v: %s", err, exit.Stderr)
			}
			t.Fatal(err)
		}
		if err := os.WriteFile("bundle.js", append([]byte(head), bundle...), 0o644); err != nil {
			t.Fatal(err)
		}
		return // what is embedded here is the bundle from before
	}
	bundle := part("bundle.js")
	if !strings.HasPrefix(bundle, head) {
		t.Error("bundle.js differs from its modules: run go generate ./...")
	}
	for _, name := range names {
		if !strings.Contains(bundle, "\n// "+name+"\n") {
			t.Errorf("%s is not in the bundle", name)
		}
	}
}
