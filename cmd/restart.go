package cmd

import (
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/watch"
)

// restartReason is the reason that clients get when their command has changed.
const restartReason = "the command has changed"

// A program in a directory is whole when nothing happens to it for a while.
const (
	programQuiet = 2 * watch.Interval
	programMost  = time.Minute
)

// restartCommand ends the sessions of h when files of its command change. The
// function that it returns ends that.
func restartCommand(h *bridge.Handler, command []string, log *slog.Logger) (stop func()) {
	return watch.Command(command, func(file string) {
		h.Restart(restartReason, nil) // before the log, which may be one that nobody reads
		log.Info("the command has changed", "file", file)
	})
}

// restartPrograms ends the sessions of h whose program in a directory changes. The
// function that it returns ends that.
func restartPrograms(h *bridge.Handler, dir string, log *slog.Logger) (stop func()) {
	return watch.Tree(dir, programQuiet, programMost, log, func(names []string) { restartChanged(h, dir, names, log) })
}

// restartChanged ends the sessions of the programs with these names below a
// directory, also by a link to them.
func restartChanged(h *bridge.Handler, dir string, names []string, log *slog.Logger) {
	top, err := filepath.EvalSymlinks(dir)
	if err == nil {
		top, err = filepath.Abs(top)
	}
	if err != nil {
		return
	}
	var changed []string
	h.Restart(restartReason, func(program string) bool {
		file, err := filepath.EvalSymlinks(program)
		if err != nil {
			return false // removed, which hurts no session of it
		}
		if slices.Contains(names, watch.WholeTree) || slices.ContainsFunc(names, func(name string) bool {
			return file == filepath.Join(top, filepath.FromSlash(name))
		}) {
			changed = append(changed, program)
			return true
		}
		return false
	})
	for _, program := range changed {
		log.Info("the command has changed", "file", program)
	}
}
