//go:build unix

package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// The files that cannot be started: what is found before the start, what the start says,
// and that the system's own error is still in it.
func TestFaults(t *testing.T) {
	dir := t.TempDir()
	put := func(name, contents string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(contents), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "link")
	plain := put("plain", "echo\n")
	notExecutable := put("notexecutable", "#!/bin/sh\n")
	for _, err := range []error{
		os.Symlink("nowhere", link),
		os.Chmod(notExecutable, 0o644),
		os.Mkdir(filepath.Join(dir, "dir"), 0o755),
		syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		path  string
		ahead bool // Check finds it
		fault Fault
		named string
		errno error // of the start; nil: it succeeds, and the interpreter fails
		what  string
	}{
		{put("crlf", "#!/bin/sh\r\necho\r\n"), true, CarriageReturn, "/bin/sh", syscall.ENOENT, "CR LF"},
		{put("crlf-arg", "#!/bin/sh -e\r\necho\r\n"), true, CarriageReturn, "sh", nil, "CR LF"},
		{put("crlf-env", "#!/usr/bin/env wsb-no-such\r\n"), true, CarriageReturn, "wsb-no-such", nil, "CR LF"},
		{put("bom", "\xef\xbb\xbf#!/bin/sh\n"), true, ByteOrderMark, "", syscall.ENOEXEC, "a byte order mark"},
		{put("utf16", "\xff\xfe#\x00!\x00"), true, UTF16, "", syscall.ENOEXEC, "UTF-16"},
		{plain, true, NoFirstLine, "", syscall.ENOEXEC, "without a #! line"},
		{put("empty", ""), true, Empty, "", syscall.ENOEXEC, "empty"},
		{put("no-interpreter", "#!/no/such/thing -x\n"), true, NoInterpreter, "/no/such/thing", syscall.ENOENT, `"/no/such/thing" does not exist`},
		{put("blank-interpreter", "#! \t/no/such/thing\n"), true, NoInterpreter, "/no/such/thing", syscall.ENOENT, "/no/such/thing"},
		{put("one-line", "#!/no/such/thing"), true, NoInterpreter, "/no/such/thing", syscall.ENOENT, "/no/such/thing"},
		{put("nothing", "#!\n"), true, BadFirstLine, "", syscall.ENOEXEC, "empty or too long"},
		{put("nothing-crlf", "#!\r\n"), true, BadFirstLine, "", syscall.ENOENT, "empty or too long"},
		{put("dir-interpreter", "#!"+dir+"\n"), true, BadInterpreter, dir, syscall.EACCES, "cannot be started"},
		{put("file-interpreter", "#!"+notExecutable+"\n"), true, BadInterpreter, notExecutable, syscall.EACCES, "cannot be started"},
		{put("fifo-interpreter", "#!"+dir+"/fifo\n"), true, BadInterpreter, dir + "/fifo", syscall.EACCES, "cannot be started"},
		{put("env", "#!/usr/bin/env wsb-no-such\n"), true, NotInPath, "wsb-no-such", nil, `"wsb-no-such", which is not in PATH`},
		{filepath.Join(dir, "fifo"), true, NotRegular, "", syscall.EACCES, "not a regular file"},
		{link, false, DanglingLink, "nowhere", syscall.ENOENT, "a link to nowhere"},
		{filepath.Join(dir, "dir"), true, Directory, "", syscall.EACCES, "a directory"},
		{notExecutable, false, NotExecutable, "", syscall.EACCES, "not executable"},
		{put("binary", "\x00\x01\x02"), false, OtherSystem, "", syscall.ENOEXEC, "another system"},

		// These are no faults, as far as can be seen ahead.
		{put("fine", "#!/bin/sh -e\n"), false, 0, "", nil, ""},
		{put("fine-blank", "#!\t /bin/sh \n"), false, 0, "", nil, ""},
		{put("fine-env", "#!/usr/bin/env sh\n"), false, 0, "", nil, ""},
		{put("fine-env-S", "#!/usr/bin/env -S sh -e\n"), false, 0, "", nil, ""},
		{put("fine-cr", "#!/bin/sh\necho\r\n"), false, 0, "", nil, ""},
		{filepath.Join(dir, "missing"), false, 0, "", syscall.ENOENT, ""},
	} {
		name := filepath.Base(test.path)
		err := Check(test.path, []string{"PATH=/usr/bin:/bin"})
		e, _ := errors.AsType[*StartError](err)
		switch {
		case test.ahead != (err != nil):
			t.Errorf("%s: Check: %v", name, err)
		case e != nil && (e.Fault != test.fault || e.Named != test.named):
			t.Errorf("%s: Check: %#v", name, e)
		}
		p, err := (&Command{Path: test.path}).Start()
		if err == nil {
			p.Stdin.Close()
			p.End(done)
			p.Close()
		}
		if test.errno == nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, test.errno) {
			t.Errorf("%s: %v, want %v", name, err, test.errno)
		}
		e, ok := errors.AsType[*StartError](err)
		if ok != (test.fault != 0) {
			t.Errorf("%s: %v", name, err)
		}
		if ok && (e.Fault != test.fault || e.Named != test.named || e.Path != test.path || !strings.Contains(e.What(), test.what) ||
			strings.Contains(e.What(), test.path)) {
			t.Errorf("%s: %#v, %s", name, e, e.What())
		}
	}
}

// A first line over what the system reads, and one that is cut off in its argument.
func TestLongFirstLine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems read more")
	}
	dir := t.TempDir()
	for name, test := range map[string]struct {
		line  string
		fault Fault
	}{
		"interpreter": {"#!/" + strings.Repeat("x", headSize), BadFirstLine},
		"argument":    {"#!/bin/sh " + strings.Repeat("x", headSize), 0},
		"as long":     {"#!/" + strings.Repeat("x", headSize-4), NoInterpreter},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(test.line+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		e, _ := errors.AsType[*StartError](Check(path, nil))
		p, err := (&Command{Path: path}).Start()
		if err == nil {
			p.End(done)
			p.Close()
		}
		if got := e != nil; got != (test.fault != 0) || got && e.Fault != test.fault || got != (err != nil) {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
}

// An interpreter that is a script with a fault of its own.
func TestFaultOfAnInterpreter(t *testing.T) {
	dir := t.TempDir()
	inner, outer := filepath.Join(dir, "inner"), filepath.Join(dir, "outer")
	for path, contents := range map[string]string{inner: "#!/no/such/thing\n", outer: "#!" + inner + "\n"} {
		if err := os.WriteFile(path, []byte(contents), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := Check(outer, nil)
	if err == nil || !strings.Contains(err.Error(), `inner" cannot be started: its interpreter "/no/such/thing" does not exist`) ||
		!errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
}

// Without a PATH programs are where execvp(3) looks; with an empty one they are nowhere.
func TestLookPath(t *testing.T) {
	old, was := os.LookupEnv("PATH")
	t.Setenv("PATH", "")
	if path, err := LookPath("sh"); err == nil {
		t.Errorf("empty PATH: %s", path)
	}
	os.Unsetenv("PATH") // t.Setenv sets it again
	if path, err := LookPath("sh"); err != nil || filepath.Base(path) != "sh" {
		t.Errorf("no PATH: %s, %v", path, err)
	}
	if path, err := LookPath("wsb-no-such"); err == nil {
		t.Errorf("no PATH: %s", path)
	}
	if was {
		os.Setenv("PATH", old)
	}
	if _, err := LookPath(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := LookPath(t.TempDir()); err == nil || !strings.Contains(err.Error(), "it is a directory") {
		t.Error(err)
	}
}
