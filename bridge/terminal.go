package bridge

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wsbridge/wsbridge/process"
)

// A Terminal says which standard streams of a program are a terminal. Nil is none of
// them.
type Terminal interface {
	// check refuses a request that asks for a terminal that cannot be.
	check(a *admission) *Refusal

	// streams are those of the program that a request starts, which was checked.
	streams(a *admission) process.Streams

	// sendBuffer is wire.Options.SendBuffer.
	sendBuffer() int

	// environ is what the program's environment has unless Handler.Env says otherwise.
	environ() []string
}

// Unbuffered gives the program a terminal for its standard output alone, because most
// programs hold back what they print to a pipe. The messages are those of a pipe. TERM
// is dumb, NO_COLOR is 1 and PAGER is cat, so that programs print no colours and start
// no pager, and COLUMNS is 100000, so that they cut no lines. Not on Windows.
type Unbuffered struct{}

func (Unbuffered) check(*admission) *Refusal { return nil }

func (Unbuffered) streams(*admission) process.Streams { return process.RawOutput{} }

func (Unbuffered) environ() []string {
	return []string{"TERM=dumb", "NO_COLOR=1", "PAGER=cat", "COLUMNS=100000"}
}

// Pty gives the program one terminal for its three streams, with a session of its own:
// its line editing, job control and signals. Chunks and Channels are the framings for it,
// and Channels can resize it. TERM is xterm-256color. The size is that of a request's
// query, ?cols=80&rows=24, from 1 to 1000 each; Columns and Rows stand for what that does
// not say, and for a Share's, whose programs are nobody's own. Zero means 80 and 24.
//
// Where the input of a program on pipes ends, the terminal is hung up: what has not been
// read of it is lost, and its session gets SIGHUP. Not on Windows.
type Pty struct{ Columns, Rows int }

// maxPtySize is the most columns and rows that a request may ask for.
const maxPtySize = 1000

var badPtySize = badHandshake(fmt.Sprintf("cols and rows: must be a number from 1 to %d", maxPtySize))

func (p Pty) check(a *admission) *Refusal {
	if _, ok := p.size(a.request.URL.RawQuery); !ok {
		return badPtySize
	}
	return nil
}

func (p Pty) streams(a *admission) process.Streams {
	query := ""
	if _, shared := a.handler.Hosting.(Share); !shared {
		query = a.request.URL.RawQuery
	}
	size, _ := p.size(query)
	return size
}

// size is what a query asks for, and whether that can be.
func (p Pty) size(query string) (size process.Terminal, ok bool) {
	size = process.Terminal{Columns: uint16(cmp.Or(p.Columns, 80)), Rows: uint16(cmp.Or(p.Rows, 24))}
	values, _ := url.ParseQuery(query) // what is malformed is the program's business
	ok = true
	for name, into := range map[string]*uint16{"cols": &size.Columns, "rows": &size.Rows} {
		given, isGiven := values[name]
		if !isGiven {
			continue
		}
		n, err := strconv.ParseUint(given[0], 10, 16)
		if len(given) > 1 || err != nil || n < 1 || n > maxPtySize {
			ok = false
		}
		*into = uint16(n)
	}
	return size, ok
}

func (Pty) environ() []string { return []string{"TERM=xterm-256color"} }

// checkTerminal is the step of an admission that finds out whether the program can have
// the terminal that is asked for.
func (a *admission) checkTerminal() *Refusal {
	if a.handler.Terminal == nil {
		return nil
	}
	return a.handler.Terminal.check(a)
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

// ptySendBuffer is how much the system keeps for a client of a Pty. What waits there is
// still shown after the user has interrupted the program that has printed it.
const ptySendBuffer = 32 << 10

func (Unbuffered) sendBuffer() int { return 0 }
func (Pty) sendBuffer() int        { return ptySendBuffer }
