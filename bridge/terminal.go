package bridge

import (
	"errors"
	"slices"
	"strings"

	"github.com/wsbridge/wsbridge/process"
)

// A Terminal says which standard streams of a program are a terminal. Nil is none of
// them.
type Terminal interface {
	// streams are those of the program that a request starts.
	streams(a *admission) process.Streams

	// environ is what the program's environment has unless Handler.Env says otherwise.
	environ() []string
}

// Unbuffered gives the program a terminal for its standard output alone, because most
// programs hold back what they print to a pipe. The messages are those of a pipe. TERM
// is dumb, NO_COLOR is 1 and PAGER is cat, so that programs print no colours and start
// no pager, and COLUMNS is 100000, so that they cut no lines. Not on Windows.
type Unbuffered struct{}

func (Unbuffered) streams(*admission) process.Streams { return process.RawOutput{} }

func (Unbuffered) environ() []string {
	return []string{"TERM=dumb", "NO_COLOR=1", "PAGER=cat", "COLUMNS=100000"}
}

// start starts the program of an admission.
func (a *admission) start(env []string) (*process.Process, error) {
	t := a.handler.Terminal
	if t == nil {
		return a.launcher.start(env, nil)
	}
	return a.launcher.start(addMissing(env, t.environ()), t.streams(a))
}

// addMissing adds variables to an environment that does not have them.
func addMissing(env, variables []string) []string {
	for _, v := range variables {
		name := v[:strings.IndexByte(v, '=')+1]
		if !slices.ContainsFunc(env, func(has string) bool { return strings.HasPrefix(has, name) }) {
			env = append(env, v)
		}
	}
	return env
}

func isTerminalError(err error) bool {
	_, ok := errors.AsType[*process.TerminalError](err)
	return ok
}
