package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func init() { children["noexec"] = childNoExec }

// elfFile makes an ELF file of 64 bits, in the order of bytes of this machine, that names
// a loader. Only what is looked at is right.
func elfFile(t *testing.T, loader string, otherMachine bool) []byte {
	t.Helper()
	own := readHead("/proc/self/exe")
	if own[4] != 2 || own[5] != 1 {
		t.Skip("not a little-endian machine of 64 bits")
	}
	f := make([]byte, 64+56)
	copy(f, own[:20])
	if otherMachine {
		f[18] ^= 0x55
	}
	f[32], f[54], f[56] = 64, 56, 1 // e_phoff, e_phentsize, e_phnum
	f[64] = elfTypeInterp
	f[72], f[96] = 64+56, byte(len(loader)+1) // p_offset, p_filesz
	return append(append(f, loader...), 0)
}

// A program for a C library that is not installed, and one for another processor.
func TestELF(t *testing.T) {
	dir := t.TempDir()
	const missing = "/lib/ld-no-such.so.1"
	for name, test := range map[string]struct {
		contents []byte
		ahead    Fault // found by Check
		err      error // of the start, made up
		fault    Fault
	}{
		"loader":  {elfFile(t, missing, false), NoLoader, syscall.ENOENT, NoLoader},
		"other":   {elfFile(t, missing, true), 0, syscall.ENOEXEC, OtherSystem},
		"fine":    {elfFile(t, "/proc/self/exe", false), 0, nil, 0},
		"cut off": {elfFile(t, missing, false)[:70], 0, syscall.EACCES, 0},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, test.contents, 0o755); err != nil {
			t.Fatal(err)
		}
		e, _ := errors.AsType[*StartError](Check(path, nil))
		if (e != nil) != (test.ahead != 0) || e != nil && (e.Fault != test.ahead || e.Named != missing) {
			t.Errorf("%s: Check: %v", name, e)
		}
		if test.fault == 0 {
			continue
		}
		if e, ok := errors.AsType[*StartError](explain(path, "", test.err)); !ok || e.Fault != test.fault || !errors.Is(e, test.err) {
			t.Errorf("%s: %v", name, e)
		}
	}
	if loader := loaderOf("/proc/self/exe"); loader != "" {
		if _, err := os.Stat(loader); err != nil {
			t.Error(err)
		}
	}
}

// FuzzLoader looks into files that are damaged in any way.
func FuzzLoader(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01"))
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	if own, err := os.ReadFile("/proc/self/exe"); err == nil {
		f.Add(own[:4096])
	}
	path := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, contents []byte) {
		if err := os.WriteFile(path, contents, 0o644); err != nil {
			t.Fatal(err)
		}
		if name := loaderOf(path); len(name) > maxLoader || strings.Contains(name, "\x00") {
			t.Errorf("%q", name)
		}
	})
}

// Options of env in a first line are one argument to it.
func TestOneArgument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/usr/bin/env sh -e\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	e, ok := errors.AsType[*StartError](Check(path, nil))
	if !ok || e.Fault != OneArgument || e.Named != "sh -e" {
		t.Errorf("%#v", e)
	}
}

// A format that an administrator has added may run what looks like a mistake.
func TestFormatOfAnAdministrator(t *testing.T) {
	const elf = "enabled\ninterpreter /usr/bin/qemu\nflags: OCF\noffset 0\nmagic 7f454c46\nmask ffffff00\n"
	for _, test := range []struct {
		entry, path, head string
		want              bool
	}{
		{"enabled\ninterpreter /usr/bin/gorun\nflags: \nextension .go\n", "x.go", "package main", true},
		{"enabled\ninterpreter /usr/bin/gorun\nflags: \nextension .go\n", "x.py", "package main", false},
		{"disabled\ninterpreter /usr/bin/gorun\nflags: \nextension .go\n", "x.go", "package main", false},
		{elf, "x", "\x7fELF\x02", true},
		{elf, "x", "\x7fELf\x02", true},
		{elf, "x", "\x7felf\x02", false},
		{elf, "x", "\x7fE", false},
		{"enabled\ninterpreter /x\nflags: \noffset 2\nmagic 6c6c\n", "x", "hello", true},
		{"enabled\ninterpreter /x\nflags: \noffset -2\nmagic 6c6c\n", "x", "hello", false},
		{"enabled\ninterpreter /x\nflags: \noffset 0\nmagic zz\n", "x", "hello", false},
		{"", "x", "hello", false},
	} {
		if got := ofFormat(test.entry, test.path, []byte(test.head)); got != test.want {
			t.Errorf("%q, %s, %q: %t", test.entry, test.path, test.head, got)
		}
	}
}

// A file that is open for writing, as while it is built.
func TestBusy(t *testing.T) {
	self, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "program")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(self); err != nil {
		t.Fatal(err)
	}
	_, err = (&Command{Path: path}).Start()
	if e, ok := errors.AsType[*StartError](err); !ok || e.Fault != Busy || !errors.Is(err, syscall.ETXTBSY) {
		t.Error(err)
	}
}

// childNoExec mounts a file system without the right to execute on its argument, in
// namespaces of its own, and tells what becomes of the programs there.
func childNoExec(args []string) {
	dir := args[0]
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, ""); err != nil {
		fmt.Print("cannot mount")
		return
	}
	for name, mode := range map[string]os.FileMode{"script": 0o755, "plain": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh -e\necho\n"), mode); err != nil {
			fmt.Println(err)
		}
	}
	for _, name := range []string{"script", "plain"} {
		path := filepath.Join(dir, name)
		_, lookErr := LookPath(path)
		_, startErr := (&Command{Path: path}).Start()
		for _, err := range []error{lookErr, startErr} {
			e, _ := errors.AsType[*StartError](err)
			if e == nil || e.Fault != NoExecMount || e.Named != "/bin/sh -e" || !errors.Is(err, os.ErrPermission) {
				fmt.Printf("%s: %v\n", name, err)
			}
		}
	}
	fmt.Print("all is said")
}

func TestNoExecMount(t *testing.T) {
	c := tested("noexec", t.TempDir())
	pipe, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	proc, err := os.StartProcess(c.Path, c.Args, &os.ProcAttr{
		Env: c.Env, Files: []*os.File{nil, pipe, pipe},
		Sys: &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		},
	})
	if err != nil {
		t.Skip("no namespace for a file system: ", err)
	}
	if _, err := proc.Wait(); err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(pipe.Name())
	if err != nil {
		t.Fatal(err)
	}
	if string(out) == "cannot mount" {
		t.Skip(string(out))
	}
	if string(out) != "all is said" {
		t.Errorf("%s", out)
	}
}
