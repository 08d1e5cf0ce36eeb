//go:build unix

package bridge

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/process"
)

// A client is told what is wrong with the file of a command, and never where it is.
func TestFaultsOfACommand(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct{ name, contents, reason string }{
		{"crlf", "#!/bin/sh\r\n", "command has CR LF line ends"},
		{"bom", "\xef\xbb\xbf#!/bin/sh\n", "command begins with a byte order mark"},
		{"interpreter", "#!/no/such/thing\n", "command's interpreter not found"},
		{"text", "echo\n", "command has no #! line"},
		{"empty", "", "command is empty"},
		{"nothing", "#!\n", "command has a bad #! line"},
	} {
		path := filepath.Join(dir, test.name)
		if err := os.WriteFile(path, []byte(test.contents), 0o755); err != nil {
			t.Fatal(err)
		}
		h := &Handler{Command: []string{path}}
		log := record(t, h)
		connect(t, serve(t, h)).wantClose(Ending{1011, test.reason})
		log.wait(an(func(e NotStarted) bool {
			fault, ok := errors.AsType[*process.StartError](e.Err)
			return ok && fault.Path == path && strings.HasPrefix(e.Err.Error(), path+": it")
		}))
	}
}

// Every fault that a start can have has a reason, short enough for a close frame.
func TestReasonsOfFaults(t *testing.T) {
	for f := process.DanglingLink; f <= process.ScriptOnWindows; f++ {
		if f == process.NotInPath || f == process.OneArgument {
			continue // the interpreter starts, and tells of it
		}
		end := notStarted(&process.StartError{Path: "/srv/secret", Fault: f, Named: "/srv/named", Err: os.ErrNotExist})
		if end.Code != 1011 || faults[f] == "" || len(end.Reason) > 60 || strings.Contains(end.Reason, "/") {
			t.Errorf("%d: %v", f, end)
		}
	}
}
