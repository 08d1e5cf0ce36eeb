package bridge

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/wsbridge/wsbridge/bridge/urlfile"
	"github.com/wsbridge/wsbridge/process"
)

// A program is what is started for a request.
type program struct {
	command []string   // its file and its arguments
	dir     string     // the working directory; empty is the server's own
	vars    []variable // that differ from those of a single command
}

// name is what the program is known by to Restart and to Events.
func (p *program) name() string {
	if len(p.command) == 0 {
		return ""
	}
	return p.command[0]
}

// findProgram finds what an upgrade starts: the command, whatever the path, or
// the one in CommandDir that the path names.
func (a *admission) findProgram() *Refusal {
	h := a.handler
	if h.CommandDir == nil {
		a.program = program{command: h.Command, dir: h.Dir}
		return nil
	}
	p, err := lookProgram(h.CommandDir, a.request.URL)
	if err != nil {
		return notFound(err)
	}
	p.dir = h.Dir
	a.program = p
	return nil
}

// notFound is the answer to a path that names no program. Only the log tells
// what there is in its place.
func notFound(err error) *Refusal {
	refused := &Refusal{Status: http.StatusNotFound, Rule: RuleNotFound, Reason: "not found"}
	if !errors.Is(err, fs.ErrNotExist) {
		refused.Detail = fmt.Sprintf("(%v)", err)
	}
	return refused
}

var (
	errIsDir         = errors.New("it is a directory")
	errNotExecutable = errors.New("it is not executable")
	errNoExecMount   = errors.New("its file system is mounted noexec")
)

// lookProgram finds the program that the path of a URL names below a
// directory. The error is fs.ErrNotExist when there is no file of that name.
func lookProgram(root *os.Root, u *url.URL) (program, error) {
	found, err := urlfile.LookURL(root, u)
	if err != nil {
		return program{}, err
	}
	top, err := filepath.Abs(root.Name())
	if err != nil {
		return program{}, err
	}
	// It is started by the name that it has here, which it may look at.
	file := filepath.Join(top, filepath.FromSlash(found.Name))
	if err := executable(file, found.Info); err != nil {
		return program{}, err
	}
	return program{
		command: []string{file},
		vars: []variable{ // RFC 3875, sections 4.1.5, 4.1.6 and 4.1.13
			{"SCRIPT_NAME", "/" + found.Name},
			{"PATH_INFO", found.Rest},
			{"PATH_TRANSLATED", translated(top, found.Rest)},
		},
	}, nil
}

// executable reports why a file cannot be started, nil if it can.
func executable(file string, info fs.FileInfo) error {
	if info.IsDir() {
		return errIsDir
	}
	if !info.Mode().IsRegular() {
		return errNotExecutable
	}
	if runtime.GOOS == "windows" {
		// What CreateProcess starts by itself, without the shell's help.
		if !slices.Contains([]string{".com", ".exe", ".bat", ".cmd"}, strings.ToLower(filepath.Ext(file))) {
			return errNotExecutable
		}
		return nil
	}
	// A path with a slash in it is not looked up, but only checked.
	_, err := process.LookPath(file)
	if e, ok := errors.AsType[*process.StartError](err); ok && e.Fault == process.NoExecMount {
		return errNoExecMount
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return errNotExecutable
	default:
		return fs.ErrNotExist
	}
}

// translated is the file below a directory that a path would name if it were
// asked for by itself, which need not exist. It is empty when there is none.
func translated(top, pathInfo string) string {
	if pathInfo == "" {
		return ""
	}
	local, err := filepath.Localize(path.Clean("." + pathInfo))
	if err != nil {
		return "" // no file can have that name
	}
	return filepath.Join(top, local)
}

var errNoCommand = errors.New("Handler has neither Command nor CommandDir")

// start starts the program for a request.
func (p *program) start(env []string, streams process.Streams, grace time.Duration) (*process.Process, error) {
	if len(p.command) == 0 {
		return nil, errNoCommand
	}
	file := p.command[0]
	if p.dir != "" && filepath.Base(file) != file && !filepath.IsAbs(file) {
		file = p.dir + "/" + file // Join could make a bare name of it
	}
	file, err := process.LookPath(file)
	if err != nil {
		return nil, err
	}
	if file, err = filepath.Abs(file); err != nil { // for a relative Dir
		return nil, err
	}
	return (&process.Command{
		Path:    file,
		Args:    p.command,
		Env:     env,
		Dir:     p.dir,
		Streams: streams,
		Grace:   grace,
	}).Start()
}
