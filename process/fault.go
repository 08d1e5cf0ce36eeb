package process

import (
	"errors"
	"fmt"
)

// A Fault is what keeps the file of a program from being started, where the
// system's own error does not say it: a script whose interpreter is missing gets
// the same "no such file or directory" as a script that is not there.
type Fault int

const (
	DanglingLink    Fault = iota + 1 // a symbolic link to nothing
	Directory                        // a directory
	NotRegular                       // a device, a socket or a FIFO
	Unreachable                      // a directory above it cannot be entered
	NotExecutable                    // this user has no right to execute it
	NoExecMount                      // its file system is mounted noexec
	Busy                             // somebody has it open for writing
	Empty                            // there is nothing in it
	CarriageReturn                   // its lines end in CR LF
	ByteOrderMark                    // it begins with that of UTF-8
	UTF16                            // it begins with a byte order mark of UTF-16
	NoFirstLine                      // text without #!
	BadFirstLine                     // #! without an interpreter, or with more than the system reads
	NoInterpreter                    // the interpreter of its first line does not exist
	BadInterpreter                   // that interpreter cannot be started itself
	NotInPath                        // env(1), its interpreter, will not find the program in PATH
	OneArgument                      // env(1) will take several words for the name of one program
	NoLoader                         // the dynamic loader that an ELF file names does not exist
	OtherSystem                      // a program for another system or processor
	ScriptOnWindows                  // a script, whose first line Windows does not read
)

// A StartError says what is wrong with the file of a program that cannot be
// started.
type StartError struct {
	Path  string // of the program
	Fault Fault

	// Named is what the file refers to: the target of a link, the interpreter or the
	// loader that it names, or the program that env(1) is asked for. For NoExecMount and
	// ScriptOnWindows it is the whole first line behind #!, if there is one.
	Named string

	// Err is the system's own error, which may be known before it is met, or the
	// StartError of the interpreter.
	Err error
}

func (e *StartError) Error() string { return e.Path + ": " + e.What() }
func (e *StartError) Unwrap() error { return e.Err }

// What says what is wrong, without the path of the program.
func (e *StartError) What() string {
	switch e.Fault {
	case DanglingLink:
		return fmt.Sprintf("it is a link to %s, which does not exist", e.Named)
	case Directory:
		return "it is a directory"
	case NotRegular:
		return "it is not a regular file"
	case Unreachable:
		return "a directory above it cannot be entered"
	case NotExecutable:
		return "it is not executable"
	case NoExecMount:
		return "its file system is mounted noexec"
	case Busy:
		return "another program has it open for writing"
	case Empty:
		return "it is empty"
	case CarriageReturn:
		return "its lines end in CR LF, as on Windows"
	case ByteOrderMark:
		return "it begins with a byte order mark"
	case UTF16:
		return "it is saved as UTF-16"
	case NoFirstLine:
		return "it is text without a #! line"
	case BadFirstLine:
		return "its #! line is empty or too long"
	case NoInterpreter:
		return fmt.Sprintf("its interpreter %q does not exist", e.Named)
	case BadInterpreter:
		what := fmt.Sprintf("its interpreter %q cannot be started", e.Named)
		if inner, ok := errors.AsType[*StartError](e.Err); ok {
			what += ": " + inner.What()
		}
		return what
	case NotInPath:
		return fmt.Sprintf("its #! line asks env for %q, which is not in PATH", e.Named)
	case OneArgument:
		return fmt.Sprintf("its #! line asks env for one program named %q", e.Named)
	case NoLoader:
		return fmt.Sprintf("its loader %s does not exist", e.Named)
	case OtherSystem:
		return "it is a program for another system or processor"
	case ScriptOnWindows:
		return "it is a script, and Windows does not read its #! line"
	}
	return "it cannot be started"
}
