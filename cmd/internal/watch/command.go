package watch

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Interval is how often the files of a command are looked at. What a compiler
// or an editor writes in pieces is whole when it is the same twice.
const Interval = 250 * time.Millisecond

// Command calls changed with the name of a file of a command, its program or a
// script among its arguments, when that has changed. The function that it
// returns ends it.
func Command(command []string, changed func(file string)) (stop func()) {
	files := commandFiles(command)
	known := lookAt(files) // before there is any session
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		watchFiles(ctx, known, func() []State { return lookAt(files) }, func(n int) { changed(files[n]) })
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// watchFiles calls changed with the number of a file that look finds to differ
// from what was known, once all of them are the same from one look to the next.
// It waits for a file that is missing.
func watchFiles(ctx context.Context, known []State, look func() []State, changed func(n int)) {
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	before := known
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := look()
		still := slices.EqualFunc(now, before, State.Same) && !slices.ContainsFunc(now, missing)
		before = now
		if !still {
			continue
		}
		for n := range now {
			if !now[n].Same(known[n]) {
				known = now
				changed(n)
				break
			}
		}
	}
}

func missing(s State) bool { return !s.Exists() }

// lookAt returns the states of files. The first is a program, which counts as
// missing until it can be run.
func lookAt(files []string) []State {
	states := make([]State, len(files))
	for i, file := range files {
		if i == 0 {
			if _, err := exec.LookPath(file); err != nil {
				continue
			}
		}
		states[i] = StateOf(file)
	}
	return states
}

// commandFiles are the program of a command, which has been found, and the
// scripts among its arguments. Other files named there are more likely what it
// works with, such as a log that it follows or a database: changes of these are
// its own business.
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
