package process

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

func isEOF(err error) bool { return err == nil || errors.Is(err, io.EOF) }

// contents finds the fault of a file that begins with head, and what it refers to.
func (p *programFile) contents(head []byte) (f Fault, named string) {
	begins := func(with string) bool { return bytes.HasPrefix(head, []byte(with)) }
	switch {
	case runtime.GOOS == "windows":
		return p.contentsOnWindows(head)
	case len(head) == 0:
		return Empty, ""
	case begins("#!"):
		return p.script(head)
	case begins("\xef\xbb\xbf"):
		return ByteOrderMark, ""
	case begins("\xff\xfe"), begins("\xfe\xff"):
		return UTF16, ""
	case begins("\x7fELF"):
		return p.elf(head)
	case !bytes.Contains(head, []byte{0}):
		return NoFirstLine, ""
	case !p.ahead:
		return OtherSystem, ""
	}
	return 0, ""
}

// contentsOnWindows is for CreateProcess, which starts batch files, whatever is in
// them, and no scripts.
func (p *programFile) contentsOnWindows(head []byte) (f Fault, named string) {
	switch ext := strings.ToLower(filepath.Ext(p.path)); {
	case ext == ".bat", ext == ".cmd":
		return 0, ""
	case bytes.HasPrefix(head, []byte("#!")):
		line, _ := firstLine(head)
		return ScriptOnWindows, strings.TrimRight(line, "\r")
	case p.ahead:
		return 0, ""
	case len(head) == 0:
		return Empty, ""
	case !bytes.Contains(head, []byte{0}):
		return NoFirstLine, ""
	}
	return OtherSystem, ""
}

// firstLine returns what stands behind #! in the first line, without blanks around it,
// and whether the line is whole. It is empty without #!.
func firstLine(head []byte) (line string, whole bool) {
	rest, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return "", false
	}
	rest, _, whole = bytes.Cut(rest, []byte("\n"))
	return string(bytes.Trim(rest, " \t")), whole || len(head) < headSize
}

// script finds the fault of a script by its first line, which it reads in the way of
// execve(2): the interpreter ends at a blank, what follows is one argument.
func (p *programFile) script(head []byte) (f Fault, named string) {
	line, whole := firstLine(head)
	name, arg := line, ""
	if i := strings.IndexAny(line, " \t\x00"); i >= 0 {
		name, arg = line[:i], strings.Trim(line[i+1:], " \t")
	} else if !whole {
		if runtime.GOOS == "linux" {
			return BadFirstLine, ""
		}
		return 0, "" // other systems read more
	}
	if strings.Trim(name, "\r") == "" {
		return BadFirstLine, ""
	}
	file := name
	if !filepath.IsAbs(file) {
		file = filepath.Join(p.dir, file)
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(name, "\r"):
		return CarriageReturn, strings.TrimSuffix(name, "\r")
	case errors.Is(err, fs.ErrNotExist):
		return NoInterpreter, name
	case err != nil:
		return 0, ""
	case !info.Mode().IsRegular():
		return BadInterpreter, name
	}
	if filepath.IsAbs(file) {
		if _, err := exec.LookPath(file); errors.Is(err, fs.ErrPermission) {
			return BadInterpreter, name
		}
	}
	if !p.isInner {
		inner := programFile{path: file, dir: p.dir, err: p.err, ahead: p.ahead, isInner: true}
		if p.inner = inner.fault(); p.inner != nil {
			return BadInterpreter, name
		}
	}
	if p.ahead && whole && !p.isInner {
		return p.argument(filepath.Base(name), arg)
	}
	return 0, ""
}

// argument finds the fault of the argument in a first line that an interpreter will
// stumble over: the interpreter starts, so that the system has no error to give.
func (p *programFile) argument(interpreter, arg string) (f Fault, named string) {
	cut, isCR := strings.CutSuffix(arg, "\r")
	switch interpreter {
	case "sh", "bash", "dash", "ash", "ksh", "zsh":
		if isCR && strings.HasPrefix(cut, "-") {
			return CarriageReturn, interpreter
		}
		return 0, ""
	case "env":
	default:
		return 0, ""
	}
	switch {
	case arg == "", strings.HasPrefix(arg, "-"), strings.ContainsAny(arg, "=/\x00"):
		return 0, ""
	case strings.ContainsAny(arg, " \t"):
		if runtime.GOOS != "linux" { // others split it
			return 0, ""
		}
		return OneArgument, cut
	case p.finds(arg):
		return 0, ""
	case isCR:
		return CarriageReturn, cut
	}
	return NotInPath, arg
}

// finds reports whether execvp(3) may find a program in the environment.
func (p *programFile) finds(name string) bool {
	path := strings.Join(standardPath, ":") + ":/usr/local/bin" // where musl looks too
	for _, v := range p.env {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			path = value
		}
	}
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			dir = "."
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return true
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return true // or it cannot be told
		}
	}
	return false
}
