package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// lookCommand finds the program of a command line, so that a mistake ends the
// server at its start and not the first client's connection.
func lookCommand(command []string) ([]string, error) {
	name := command[0]
	path, err := exec.LookPath(name)
	if err == nil {
		return append([]string{path}, command[1:]...), nil
	}
	bare := filepath.Base(name) == name
	here := "." + string(filepath.Separator) + name
	switch {
	case errors.Is(err, exec.ErrDot), bare && isFile(name):
		return nil, hint.Add(
			fmt.Errorf("cannot find %s in PATH", name),
			fmt.Sprintf("to run the one in this directory, write %s", here),
		)
	case bare:
		return nil, hint.Add(
			fmt.Errorf("cannot find %s in PATH", name),
			"check the spelling, or give the path of the program",
		)
	case errors.Is(err, fs.ErrNotExist):
		return nil, hint.Add(
			fmt.Errorf("cannot run %s: no such file", name),
			"check the spelling, and the directory that you are in",
		)
	case isFile(name) && runtime.GOOS != "windows":
		return nil, hint.Add(
			fmt.Errorf("cannot run %s: it is not executable", name),
			fmt.Sprintf("try: chmod +x %s", name),
		)
	}
	if e, ok := errors.AsType[*exec.Error](err); ok {
		err = e.Err
	}
	return nil, fmt.Errorf("cannot run %s: %w", name, err)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// completeCommand offers programs for COMMAND, and leaves its arguments and
// whatever has a slash in it to the shell.
func completeCommand(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || toComplete == "" || strings.ContainsAny(toComplete, `/\`) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), toComplete) && !e.IsDir() {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveDefault
}
