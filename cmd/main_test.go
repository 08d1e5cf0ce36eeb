package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wsbridge/wsbridge/cmd/internal/leak"
	"github.com/wsbridge/wsbridge/process/selfchild"
)

// TestMain makes commands of this binary: wsbridge itself, and child, the
// program that it serves in the scripts.
func TestMain(m *testing.M) {
	testscript.Main(withPlainChild{leak.Checked{M: m}}, map[string]func(){
		"wsbridge": func() { os.Exit(mainOfTests()) },
		"child":    func() { os.Exit(child(os.Args[1:])) },
	})
}

// withPlainChild makes child, which only plays the programs of the tests, a command
// that does not look for races. What is under test is wsbridge, which does.
type withPlainChild struct{ leak.Checked }

func (m withPlainChild) Run() int {
	plain, remove := selfchild.Make()
	defer remove()
	if exe, err := os.Executable(); err == nil && plain != exe {
		child, err := exec.LookPath("child")
		if err == nil {
			err = os.Rename(plain, child) // both are in the folder for temporary files
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Checked.Run()
}
