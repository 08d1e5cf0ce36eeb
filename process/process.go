// Package process runs a child process together with everything that it
// starts: its whole process group, on Windows its job object.
//
// A child gets three pipes as its standard input, output and error, or a terminal
// (Streams). The package owns the other ends, so that it can write to the input
// without blocking and can tell when the outputs are over even though
// somebody else still holds them.
//
//	p, err := (&process.Command{Path: "/bin/cat"}).Start()
//	…                      // write p.Stdin, read p.Stdout and p.Stderr
//	p.Wait(ctx)            // until it exits, or ctx is done
//	state := p.End(ctx)    // the ladder; nothing of the group survives it
//	p.Close()
//
// Wait only watches. The child stays a zombie until End has killed what is
// left of its group, so that the group's number cannot meanwhile become
// another's (waitid(2), WNOWAIT). A process that left the group (setsid(2))
// is on its own; if it holds an output, it is cut off.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// A Command says what to start.
type Command struct {
	// Path is the program's file. It is not looked up in PATH.
	Path string

	// Args are the program's arguments, its name first; nil means Path alone.
	Args []string

	// Env is the environment, "NAME=value" each; nil is an empty one.
	Env []string

	// Dir is the working directory; empty means that of this process.
	Dir string

	// Streams are how its standard input, output and error are made; nil are pipes.
	Streams Streams

	// Grace is added to each wait of End.
	Grace time.Duration
}

// A Process is a child that has been started. Wait, End and Close belong to
// one goroutine; each pipe may belong to another.
type Process struct {
	Stdin  *Input
	Stdout *Output
	Stderr *Output

	grace    time.Duration
	leader   leader   // the child itself, and how to reach its group
	terminal *os.File // nil: none
	ended    bool
	state    State // once ended
}

// Start starts the command. Its error is a *StartError when the file of the program
// is at fault, else an *os.PathError or one of a system call, such as EMFILE.
//
// On Linux the child is killed when this process ends, or the thread that
// Start ran on. A thread ends only with a goroutine that has locked itself to
// it and does not unlock it (runtime.LockOSThread); a program with such
// goroutines may lose children with them.
func (c *Command) Start() (*Process, error) {
	files, err := c.open()
	if err != nil {
		return nil, err
	}
	defer closeAll(files.child[:])

	args := c.Args
	if args == nil {
		args = []string{c.Path}
	}
	p := &Process{grace: c.Grace}
	if err := p.leader.start(c.Path, args, c.Env, c.Dir, &files); err != nil {
		closeAll(files.ours[:])
		if _, dirErr := os.Stat(c.Dir); c.Dir != "" && dirErr != nil {
			return nil, dirErr // the system's own does not tell it from a missing Path
		}
		return nil, explain(c.Path, c.Dir, err)
	}
	p.Stdin = newInput(files.ours[0])
	if p.terminal = files.terminal; p.terminal != nil {
		p.Stdin.keep = p.leader.exited // and what is left to read
	}
	p.Stdout = newOutput(files.ours[1])
	p.Stderr = newOutput(files.ours[2])
	return p, nil
}

func (c *Command) open() (stdio, error) {
	if c.Streams == nil {
		return pipes()
	}
	return c.Streams.open()
}

// An exit is closed when the child has exited: how a thread that watches a
// child reports that.
type exit chan struct{}

func (e exit) exited() bool {
	select {
	case <-e:
		return true
	default:
		return false
	}
}

func (e exit) wait(ctx context.Context) error {
	select {
	case <-e:
		return nil
	case <-ctx.Done():
		if e.exited() {
			return nil
		}
		return context.Cause(ctx)
	}
}

// Pid is the child's process ID, on Unix also that of its process group.
func (p *Process) Pid() int { return p.leader.pid }

// Wait waits until the child has exited and returns nil, or until ctx is done
// and returns its cause. When both have come, the exit counts. Wait does not
// reap the child, and may be called again.
func (p *Process) Wait(ctx context.Context) error { return p.leader.wait(ctx) }

// holding is how long End waits, besides the grace, for the end of the
// standard output of a child that has exited, while other processes hold it.
const holding = 500 * time.Millisecond

// The ladder is how a child that still runs is ended. Each signal goes to the
// whole group, after a wait for the child to be gone already.
var ladder = [...]struct {
	wait   time.Duration
	signal syscall.Signal
}{
	{100 * time.Millisecond, syscall.SIGINT},
	{250 * time.Millisecond, syscall.SIGTERM},
	{500 * time.Millisecond, syscall.SIGKILL},
}

// Ladder is how long End takes at most, with a grace, to end a child that
// ignores every signal that can be ignored.
func Ladder(grace time.Duration) time.Duration {
	var sum time.Duration
	for _, step := range ladder {
		sum += step.wait + grace
	}
	return sum
}

// Courtesy is how long End waits, with a grace, before it sends the first signal.
func Courtesy(grace time.Duration) time.Duration { return ladder[0].wait + grace }

// End ends the child and its group, reaps it and tells how it ended.
//
// The caller tells a child that still runs to end by closing Stdin, which hangs up a
// Terminal, or goes on writing until the first signal, when End closes Stdin in any
// case. End waits 100 ms before it interrupts the group (SIGINT), 250 ms before it
// terminates it (SIGTERM) and 500 ms before it kills it (SIGKILL). After a child that
// exited by itself, End waits until Stdout has been read to its end or abandoned, but
// not longer than 500 ms. The grace is added to each of these. If ctx is done, End
// does not wait.
//
// After End, what is left in Stdout and Stderr can still be read, and then end of
// file, even if other processes hold them. A second call of End only returns the same
// State.
func (p *Process) End(ctx context.Context) State {
	if p.ended {
		return p.state // the group's number may be another's by now
	}
	if p.leader.exited() {
		p.hold(ctx)
	} else {
		p.descend(ctx)
	}
	p.leader.signal(syscall.SIGKILL)
	p.state, p.ended = p.leader.reap(), true
	p.Stdin.Close()
	p.Stdout.cutOff()
	p.Stderr.cutOff()
	return p.state
}

func (p *Process) hold(ctx context.Context) {
	select {
	case <-p.Stdout.ended:
		return
	default:
	}
	t := time.NewTimer(holding + p.grace)
	defer t.Stop()
	select {
	case <-p.Stdout.ended:
	case <-t.C:
	case <-ctx.Done():
	}
}

func (p *Process) descend(ctx context.Context) {
	for _, step := range ladder {
		if p.waitFor(ctx, step.wait+p.grace) {
			return
		}
		p.leader.signal(step.signal)
		p.Stdin.Close() // after the signal: half a line shall not pass for the last
	}
	_ = p.leader.wait(context.Background()) // SIGKILL cannot be refused
}

// waitFor reports whether the child exits within d.
func (p *Process) waitFor(ctx context.Context, d time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return p.leader.wait(ctx) == nil
}

// Close releases the pipes. It is called after End, when nobody reads or
// writes them any more.
func (p *Process) Close() error {
	return errors.Join(p.Stdout.close(), p.Stderr.close())
}

// A State tells how a process ended.
type State struct {
	// Status is the exit status: 0 to 255 on Unix, any 32-bit number on
	// Windows; 0 for a process that was killed by a signal.
	Status int

	// Signal is the signal that killed the process; 0 if it exited.
	Signal syscall.Signal
}

// String is worded as in package os: "exit status 3", "signal: killed".
func (s State) String() string {
	if s.Signal != 0 {
		return "signal: " + s.Signal.String()
	}
	return fmt.Sprintf("exit status %d", s.Status)
}

// ExitCode is the exit status as a shell has it in $?: Status, or 128+S for a
// process that was killed by the signal S. POSIX asks only for more than 128
// there (XCU, 2.8.2, Exit Status for Commands); 128+S is what sh, bash and zsh
// make of it. On Windows it is Status, any 32-bit number.
func (s State) ExitCode() int {
	if s.Signal != 0 {
		return 128 + int(s.Signal)
	}
	return s.Status
}
