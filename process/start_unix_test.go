//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func init() { children["few-files"] = childFewFiles }

func TestNotExecutable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, dir} {
		if _, err := (&Command{Path: path}).Start(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", path, err)
		}
	}
	noFormat := filepath.Join(dir, "noformat")
	if err := os.WriteFile(noFormat, []byte("nothing that runs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Command{Path: noFormat}).Start(); !errors.Is(err, syscall.ENOEXEC) {
		t.Errorf("no format: %v", err)
	}
}

// childFewFiles starts children under every limit of open files between too
// few and enough.
func childFewFiles([]string) {
	exit := command("exit", "0")
	ctx := context.Background()
	p, err := exit.Start() // warms up, as in TestMain
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	p.End(ctx)
	p.Close()

	var rlimit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &rlimit)
	full := rlimit.Cur
	goroutines, files := runtime.NumGoroutine(), openFiles()
	rlimit.Cur = 3
	for range 64 {
		rlimit.Cur++
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &rlimit); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		p, err := exit.Start()
		if err == nil {
			p.End(ctx)
			p.Close()
		}
		few := rlimit.Cur
		rlimit.Cur = full
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &rlimit)
		rlimit.Cur = few
		if err == nil {
			fmt.Println("enough")
			os.Exit(0)
		}
		if !errors.Is(err, syscall.EMFILE) {
			fmt.Printf("limit %d: %v\n", few, err)
			os.Exit(1)
		}
		if err := noLeak(goroutines, files); err != nil {
			fmt.Printf("limit %d: %v\n", few, err)
			os.Exit(1)
		}
		fmt.Println("too few")
	}
}

func TestTooManyOpenFiles(t *testing.T) {
	p := start(t, tested("few-files"))
	errs := collect(p.Stderr)
	got := receive(t, collect(p.Stdout))
	wait(t, p)
	// Three pipes, one that tells of a failing exec, one file to watch by.
	if n := strings.Count(got, "too few\n"); n < 3*2+2+1 || got != strings.Repeat("too few\n", n)+"enough\n" {
		t.Errorf("got %q", got)
	}
	p.End(done)
	if s := receive(t, errs); s != "" {
		t.Error(s)
	}
}
