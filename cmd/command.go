package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
	"github.com/wsbridge/wsbridge/process"
)

// lookCommand finds the program of a command line, and looks into its file, so that a
// mistake ends the server at its start and not the first client's connection. env is
// the environment that the program will have.
func lookCommand(command, env []string) ([]string, error) {
	name := command[0]
	path, err := process.LookPath(name)
	if err == nil {
		err = process.Check(path, env)
	}
	if err == nil {
		return append([]string{path}, command[1:]...), nil
	}
	if e, ok := errors.AsType[*process.StartError](err); ok {
		return nil, hint.Add(fmt.Errorf("cannot run %s: %s", name, e.What()), startHint(e))
	}
	bare := filepath.Base(name) == name
	here := "." + string(filepath.Separator) + name
	switch {
	case len(strings.Fields(name)) > 1 && (bare || errors.Is(err, fs.ErrNotExist)):
		return nil, hint.Add(fmt.Errorf("cannot find a program named %q", name), wordsHint(command))
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
	}
	if e, ok := errors.AsType[*exec.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return nil, fmt.Errorf("cannot run %s: %w", name, err)
}

// wordsHint is for a command whose first word has several in it.
func wordsHint(command []string) string {
	if strings.ContainsAny(command[0], "|&;<>()$`*?\"'") {
		return "for a shell's command line, write: sh -c " + quoteWord(strings.Join(command, " "))
	}
	words := strings.Fields(command[0])
	for _, arg := range command[1:] {
		words = append(words, quoteWord(arg))
	}
	return "separate words are separate arguments: " + strings.Join(words, " ")
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
