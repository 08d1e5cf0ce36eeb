package cmd

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/wsbridge/wsbridge/process"
)

// startHint is what to do about a program that cannot be started; empty if that is not
// known.
func startHint(err error) string {
	e, ok := errors.AsType[*process.StartError](err)
	if !ok {
		return ""
	}
	file := quoteWord(e.Path)
	switch e.Fault {
	case process.Directory:
		return fmt.Sprintf("to serve the programs in it, write --dir=%s", file)
	case process.Unreachable:
		return "the user that runs wsbridge needs execute permission (x) on each of them"
	case process.NotExecutable:
		return "try: chmod +x " + file
	case process.NoExecMount, process.ScriptOnWindows:
		if e.Named == "" {
			return "move it to another file system"
		}
		return fmt.Sprintf("run it with its interpreter: %s %s", interpreterHere(e.Named), file)
	case process.BadInterpreter:
		if inner := startHint(e.Err); inner != "" {
			return inner
		}
		return "check the permissions of " + quoteWord(e.Named)
	case process.Busy:
		return "try again when the file has been written and closed"
	case process.CarriageReturn:
		return "try: " + editor() + ` 's/\r$//' ` + file
	case process.ByteOrderMark:
		return "try: " + editor() + ` '1s/^\xEF\xBB\xBF//' ` + file
	case process.UTF16:
		return "save it as UTF-8, without a byte order mark"
	case process.NoFirstLine:
		interpreter := interpreterFor(e.Path)
		return fmt.Sprintf("begin it with #!%s, or run it with its interpreter: %s %s",
			whereIs(interpreter), interpreter, file)
	case process.BadFirstLine:
		return "begin it with a line like #!" + whereIs(interpreterFor(e.Path))
	case process.NoInterpreter:
		name := filepath.Base(e.Named)
		if path, err := exec.LookPath(name); err == nil {
			return fmt.Sprintf("%s is at %s here; #!/usr/bin/env %s finds it in PATH", name, path, name)
		}
		return fmt.Sprintf("install %s, or change the first line of %s", name, file)
	case process.NotInPath:
		return fmt.Sprintf("install %s, or pass on a PATH that has it (--passenv)", e.Named)
	case process.OneArgument:
		return fmt.Sprintf("write #!/usr/bin/env -S %s", e.Named)
	case process.NoLoader:
		return "it was built for another C library, such as glibc instead of musl; build it here, or link it statically"
	case process.OtherSystem:
		return fmt.Sprintf("build it for %s on %s", runtime.GOOS, runtime.GOARCH)
	}
	return ""
}

// editor is a command that changes a file in place, followed by s/// and the file: -i
// of a BSD's sed takes an argument.
func editor() string {
	if runtime.GOOS == "linux" {
		return "sed -i"
	}
	return "perl -pi -e"
}

// interpreters are what runs files of an extension.
var interpreters = map[string]string{
	".bash": "bash", ".js": "node", ".lua": "lua", ".mjs": "node", ".php": "php",
	".pl": "perl", ".py": "python3", ".rb": "ruby", ".tcl": "tclsh",
}

func interpreterFor(file string) string {
	if name, ok := interpreters[strings.ToLower(filepath.Ext(file))]; ok {
		return name
	}
	return "sh"
}

// whereIs is how a first line names an interpreter.
func whereIs(interpreter string) string {
	if interpreter == "sh" {
		return "/bin/sh"
	}
	return "/usr/bin/env " + interpreter
}

// interpreterHere makes a command of a first line. Windows has no /usr/bin.
func interpreterHere(line string) string {
	if runtime.GOOS != "windows" {
		return line
	}
	words := strings.Fields(line)
	if filepath.Base(words[0]) == "env" && len(words) > 1 {
		words = words[1:]
	}
	words[0] = filepath.Base(words[0])
	return strings.Join(words, " ")
}

// quoteWord writes a word so that a shell reads it as one.
func quoteWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-=:,@%"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	if runtime.GOOS == "windows" {
		if strings.ContainsAny(s, " &|^") || s == "" {
			return `"` + s + `"`
		}
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
