//go:build unix

package process

import (
	"errors"
	"os"
	"syscall"
)

// start starts the child as the leader of a process group of its own, and with a terminal
// of its own also of a session.
func (l *leader) start(path string, args, env []string, dir string, s *stdio) error {
	files := s.child[:]
	attr := &syscall.ProcAttr{
		Dir:   dir,
		Env:   env,
		Files: make([]uintptr, len(files)),
		Sys:   s.attributes(),
	}
	for i, f := range files {
		attr.Files[i] = f.Fd() // makes it block, if it does not
	}
	if err := l.prepare(attr.Sys); err != nil {
		return err
	}
	pid, _, err := syscall.StartProcess(path, args, attr)
	if err != nil {
		l.unwatch()
		return &os.PathError{Op: "start", Path: path, Err: err}
	}
	l.pid, l.session = pid, s.terminal != nil
	l.watch()
	return nil
}

// signal sends sig to the whole group, and to a leader that has moved to
// another one (setpgid(2)); with a terminal of its own to its whole session. The
// leader is still unreaped, so these numbers are its own.
func (l *leader) signal(sig syscall.Signal) {
	_ = syscall.Kill(-l.pid, sig)
	if group, err := syscall.Getpgid(l.pid); err == nil && group != l.pid {
		_ = syscall.Kill(l.pid, sig)
	}
	if l.session {
		signalSession(l.pid, sig)
	}
}

// reap takes the exit status of a leader that has exited.
func (l *leader) reap() State {
	l.unwatch()
	var ws syscall.WaitStatus
	for {
		_, err := syscall.Wait4(l.pid, &ws, 0, nil)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if ws.Signaled() {
		return State{Signal: ws.Signal()}
	}
	return State{Status: ws.ExitStatus()}
}
