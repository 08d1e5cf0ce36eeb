// Package selfchild is for tests that start their own binary as a child.
//
// Under the race detector a binary takes three times as long to start and to
// end, and most of what many tests do is to start children. A child that is
// only a program of the tests, with nothing in it that is under test, need not
// look for races.
package selfchild

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// Race reports whether the race detector is on.
func Race() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// Make returns what tests start as a child: this binary or, under the race
// detector, the same one built without it. TestMain calls it, and remove before
// it exits. If there is nothing to build with, this binary has to do.
func Make() (path string, remove func()) {
	remove = func() {}
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	if !Race() {
		return path, remove
	}
	dir, err := os.MkdirTemp("", "selfchild")
	if err != nil {
		fmt.Fprintln(os.Stderr, "the children look for races, too:", err)
		return path, remove
	}
	remove = func() { _ = os.RemoveAll(dir) }
	info, _ := debug.ReadBuildInfo() // Race has read it
	built := filepath.Join(dir, filepath.Base(path))
	// The go command keeps what it builds: only the first time takes seconds.
	build := exec.Command("go", "test", "-c", "-race=false", "-o", built, strings.TrimSuffix(info.Path, ".test"))
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "the children look for races, too: %v\n%s", err, out)
		return path, remove
	}
	return built, remove
}
