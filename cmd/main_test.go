package cmd

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wsbridge/wsbridge/cmd/internal/leak"
)

// TestMain makes commands of this binary: wsbridge itself, and child, the
// program that it serves in the scripts.
func TestMain(m *testing.M) {
	testscript.Main(leak.Checked{M: m}, map[string]func(){
		"wsbridge": func() { os.Exit(mainOfTests()) },
		"child":    func() { os.Exit(child(os.Args[1:])) },
	})
}
