package process

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// Check looks at the file of a program, found by LookPath, before it is started
// with an environment. Its error, a *StartError, is for what is certain to fail;
// nil does not mean that the program can be started.
func Check(path string, env []string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil
	case info.Mode().IsRegular():
		p := programFile{path: path, env: env, ahead: true}
		return p.fault()
	case info.IsDir():
		return &StartError{Path: path, Fault: Directory, Err: syscall.EISDIR}
	case runtime.GOOS != "windows":
		return &StartError{Path: path, Fault: NotRegular, Err: syscall.EACCES}
	}
	return nil
}

// explain finds out why the program at path, in a working directory, cannot be
// started, if the error of the system leaves that open. It returns err when there is
// nothing to add.
func explain(path, dir string, err error) error {
	switch {
	case errors.Is(err, syscall.ETXTBSY):
		return &StartError{Path: path, Fault: Busy, Err: err}
	case errors.Is(err, syscall.EISDIR):
		return &StartError{Path: path, Fault: Directory, Err: err}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, errFormat):
	default:
		return err
	}
	if fault := reach(path, err); fault != nil {
		return fault
	}
	p := programFile{path: path, dir: dir, err: err}
	if fault := p.fault(); fault != nil {
		return fault
	}
	return err
}

// reach finds the fault of a program whose file cannot be reached or executed.
func reach(path string, err error) error {
	fault := func(f Fault, named string) error { return &StartError{Path: path, Fault: f, Named: named, Err: err} }
	info, statErr := os.Stat(path)
	switch {
	case errors.Is(statErr, fs.ErrPermission):
		return fault(Unreachable, "")
	case errors.Is(statErr, fs.ErrNotExist):
		if target, linkErr := os.Readlink(path); linkErr == nil {
			return fault(DanglingLink, target)
		}
		return err
	case statErr != nil:
		return err
	case info.IsDir():
		return fault(Directory, "")
	case !info.Mode().IsRegular():
		return fault(NotRegular, "")
	}
	if !errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if mountedNoExec(path) {
		line, _ := firstLine(readHead(path))
		return fault(NoExecMount, strings.TrimRight(line, "\r"))
	}
	if filepath.Base(path) == path {
		path = "." + string(filepath.Separator) + path // is not looked up in PATH
	}
	if _, lookErr := exec.LookPath(path); errors.Is(lookErr, fs.ErrPermission) {
		return fault(NotExecutable, "")
	}
	return nil
}

// headSize is how much of a file execve(2) looks at, on Linux.
const headSize = 256

// readHead returns the first bytes of a regular file; nil if they cannot be read. It
// does not wait for a FIFO that has taken the file's place.
func readHead(path string) []byte {
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	head := make([]byte, headSize)
	n, err := f.ReadAt(head, 0)
	if n == 0 && !isEOF(err) {
		return nil
	}
	return head[:n]
}

// A programFile is the file of a program that is looked into.
type programFile struct {
	path, dir string
	err       error    // of the system, when it could not start the program
	ahead     bool     // nobody has tried: only what is certain is a fault
	env       []string // of the program; only if ahead
	isInner   bool     // it is the interpreter of another
	inner     error    // why its interpreter cannot be started, if it is at fault
}

// fault finds what is wrong with the contents of the file.
func (p *programFile) fault() error {
	head := readHead(p.path)
	if head == nil || p.ahead && handledElsewhere(p.path, head) {
		return nil
	}
	f, named := p.contents(head)
	if f == 0 {
		return nil
	}
	err := p.err
	switch {
	case p.inner != nil:
		err = p.inner
	case err == nil:
		err = f.errno()
	}
	return &StartError{Path: p.path, Fault: f, Named: named, Err: err}
}

// errno is what the system says to a program with the fault.
func (f Fault) errno() error {
	switch f {
	case CarriageReturn, NoInterpreter, NotInPath, OneArgument, NoLoader:
		return syscall.ENOENT
	case BadInterpreter:
		return syscall.EACCES
	default:
		return errFormat
	}
}

// LookPath finds a program as exec.LookPath does, and in the system's standard
// directories when there is no PATH, as execvp(3) does. A file that is there and
// cannot be started gets a *StartError.
func LookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	if filepath.Base(name) != name {
		return "", explain(name, "", err)
	}
	if _, set := os.LookupEnv("PATH"); !set && runtime.GOOS != "windows" {
		for _, dir := range standardPath {
			if path, err := exec.LookPath(dir + "/" + name); err == nil {
				return path, nil
			}
		}
	}
	return "", err
}

// standardPath is where programs are looked for without a PATH. glibc has these
// two (confstr(3), _CS_PATH).
var standardPath = []string{"/bin", "/usr/bin"}
