package process

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A leader is the child itself, in a job object of its own that nothing it
// starts can leave and that ends with this server.
type leader struct {
	exit
	pid   int
	job   windows.Handle
	state State // set before exit is closed
}

var ntResumeProcess = windows.NewLazySystemDLL("ntdll.dll").NewProc("NtResumeProcess")

// start starts the child suspended, so that it can start nothing before it
// is in its job.
func (l *leader) start(path string, args, env []string, dir string, s *stdio) (err error) {
	if l.job, err = newJob(); err != nil {
		return fmt.Errorf("job object: %w", err)
	}
	proc, err := os.StartProcess(path, args, &os.ProcAttr{
		Dir:   dir,
		Env:   append([]string{}, env...), // nil would be this process's own
		Files: s.child[:],
		Sys:   &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP},
	})
	if err != nil {
		windows.CloseHandle(l.job)
		return err
	}
	handleErr := proc.WithHandle(func(h uintptr) {
		if err = windows.AssignProcessToJobObject(l.job, windows.Handle(h)); err != nil {
			return
		}
		if status, _, _ := ntResumeProcess.Call(h); status != 0 {
			err = windows.NTStatus(status)
		}
	})
	if err == nil {
		err = handleErr
	}
	if err != nil {
		_ = proc.Kill()
		_, _ = proc.Wait()
		windows.CloseHandle(l.job)
		return fmt.Errorf("job object: %w", err)
	}
	l.pid = proc.Pid
	l.exit = make(exit)
	go l.watch(proc)
	return nil
}

func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		windows.CloseHandle(job)
		return 0, err
	}
	return job, nil
}

func (l *leader) watch(proc *os.Process) {
	defer close(l.exit)
	if ps, err := proc.Wait(); err == nil {
		l.state.Status = ps.ExitCode()
	}
}

// killed is the exit status of a process that was ended by its job: what a
// shell on Unix reports of one that was killed by SIGKILL.
const killed = 128 + 9

// signal knows only the last rung of the ladder: there are no signals here.
func (l *leader) signal(sig syscall.Signal) {
	if sig == syscall.SIGKILL {
		_ = windows.TerminateJobObject(l.job, killed)
	}
}

func (l *leader) reap() State {
	<-l.exit
	windows.CloseHandle(l.job)
	return l.state
}
