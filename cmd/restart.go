package cmd

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
)

// restartReason is what clients are told whose command has changed.
const restartReason = "the command has changed"

const (
	// programInterval is how often the files of a command are looked at. What
	// a compiler or an editor writes in pieces is whole when it is the same twice.
	programInterval = 250 * time.Millisecond

	// A program in a directory is whole when nothing happens to it for a while.
	programQuiet = 2 * programInterval
	programMost  = time.Minute
)

// restartOnChange ends the sessions of h when files of its command change, or,
// for those of a directory of programs, their program. The function that it
// returns ends it.
func restartOnChange(h *bridge.Handler, log *slog.Logger) (stop func()) {
	if h.CommandDir != nil {
		dir := h.CommandDir.Name()
		return watchTree(dir, programQuiet, programMost, log, func(names []string) { restartPrograms(h, log, dir, names) })
	}
	files := commandFiles(h.Command)
	known := lookAt(files) // before there is any session
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		watchCommand(ctx, known, func() []fs.FileInfo { return lookAt(files) }, func(n int) {
			log.Info("the command has changed", "file", files[n])
			h.Restart(restartReason, nil)
		})
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// restartPrograms ends the sessions of the programs with these names below a
// directory, also by a link to them.
func restartPrograms(h *bridge.Handler, log *slog.Logger, dir string, names []string) {
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
		if slices.Contains(names, wholeTree) || slices.ContainsFunc(names, func(name string) bool {
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

// watchCommand calls changed when the first of the files that look tells of, or
// one of the others, has become another one and stays the same from one look
// to the next, other than it was known. A file that is not there, told of by
// nil, is waited for.
func watchCommand(ctx context.Context, known []fs.FileInfo, look func() []fs.FileInfo, changed func(n int)) {
	ticker := time.NewTicker(programInterval)
	defer ticker.Stop()
	before := known
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := look()
		still := slices.EqualFunc(now, before, sameFile) && !slices.Contains(now, nil)
		before = now
		if !still {
			continue
		}
		for n := range now {
			if !sameFile(now[n], known[n]) {
				known = now
				changed(n)
				break
			}
		}
	}
}

// lookAt tells of files, and nil of one that is not there. The first is a
// program, which is not there before it can be run.
func lookAt(files []string) []fs.FileInfo {
	infos := make([]fs.FileInfo, len(files))
	for i, file := range files {
		info, err := os.Stat(file)
		if err == nil && i == 0 {
			_, err = exec.LookPath(file)
		}
		if err == nil {
			infos[i] = info
		}
	}
	return infos
}

func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// commandFiles are the program of a command, which has been found, and the
// scripts among its arguments. Other files that are named there are rather
// what it works with, such as a log that it follows or a database: their
// changes are its own business.
func commandFiles(command []string) []string {
	var files []string
	for i, arg := range command {
		file, err := filepath.Abs(arg)
		if err == nil && (i == 0 || isScript(file)) {
			files = append(files, file)
		}
	}
	return files
}

// scriptTypes are the extensions of what an interpreter is given.
var scriptTypes = strings.Fields(".awk .bash .bat .cjs .clj .cmd .cr .dart .erl .escript .ex .exs .fish .go .groovy .hs .jar .java .jl .js .jsx .ksh " +
	".kts .lua .mjs .ml .mts .nim .nu .php .pl .ps1 .py .pyc .pyw .pyz .R .r .raku .rb .rkt .scm .sed .sh .swift .tcl .ts .tsx .wasm .zsh")

// isScript reports whether a file is a program or a script, by its name, by
// its permissions or by its first line.
func isScript(file string) bool {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	if slices.Contains(scriptTypes, filepath.Ext(file)) {
		return true
	}
	if _, err := exec.LookPath(file); err == nil {
		return true
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, 2)
	_, err = io.ReadFull(f, begin)
	return err == nil && bytes.Equal(begin, []byte("#!"))
}
