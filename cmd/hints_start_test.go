package cmd

import (
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/process"
)

// Each fault of a program's file has its remedy, if there is one that a person can use.
func TestStartHints(t *testing.T) {
	t.Setenv("PATH", "")
	edit := map[bool]string{true: "sed -i", false: "perl -pi -e"}[runtime.GOOS == "linux"]
	for _, test := range []struct {
		fault       process.Fault
		path, named string
		want        string
	}{
		{process.DanglingLink, "./x", "y", ""},
		{process.Directory, "./x", "", "to serve the programs in it, write --dir=./x"},
		{process.NotRegular, "./x", "", ""},
		{process.Unreachable, "./x", "", "the user that runs wsbridge needs execute permission (x) on each of them"},
		{process.NotExecutable, "./x", "", "try: chmod +x ./x"},
		{process.NoExecMount, "./x", "/bin/sh -e", "run it with its interpreter: /bin/sh -e ./x"},
		{process.NoExecMount, "./x", "", "move it to another file system"},
		{process.Busy, "./x", "", "try again when the file has been written and closed"},
		{process.Empty, "./x", "", ""},
		{process.CarriageReturn, "./x", "/bin/sh", "try: " + edit + ` 's/\r$//' ./x`},
		{process.ByteOrderMark, "./x", "", "try: " + edit + ` '1s/^\xEF\xBB\xBF//' ./x`},
		{process.UTF16, "./x", "", "save it as UTF-8, without a byte order mark"},
		{process.NoFirstLine, "./x", "", "begin it with #!/bin/sh, or run it with its interpreter: sh ./x"},
		{process.NoFirstLine, "./x.rb", "", "begin it with #!/usr/bin/env ruby, or run it with its interpreter: ruby ./x.rb"},
		{process.BadFirstLine, "./x.JS", "", "begin it with a line like #!/usr/bin/env node"},
		{process.NoInterpreter, "./x", "/opt/y", "install y, or change the first line of ./x"},
		{process.BadInterpreter, "./x", "/opt/y", "check the permissions of /opt/y"},
		{process.NotInPath, "./x", "y", "install y, or pass on a PATH that has it (--passenv)"},
		{process.OneArgument, "./x", "python3 -u", "write #!/usr/bin/env -S python3 -u"},
		{process.NoLoader, "./x", "/lib/y", "it was built for another C library"},
		{process.OtherSystem, "./x", "", "build it for " + runtime.GOOS + " on " + runtime.GOARCH},
	} {
		if runtime.GOOS == "windows" && test.fault == process.NoExecMount {
			continue // it has none
		}
		got := startHint(&process.StartError{Path: test.path, Fault: test.fault, Named: test.named, Err: fs.ErrPermission})
		if got != test.want && (test.want == "" || !strings.HasPrefix(got, test.want)) {
			t.Errorf("%d: %q, want %q", test.fault, got, test.want)
		}
	}
	if got := startHint(errors.New("it broke")); got != "" {
		t.Error(got)
	}
	inner := &process.StartError{Path: "/opt/y", Fault: process.NotExecutable, Err: fs.ErrPermission}
	if got := startHint(&process.StartError{Path: "./x", Fault: process.BadInterpreter, Named: "/opt/y", Err: inner}); got != "try: chmod +x /opt/y" {
		t.Error(got)
	}
}

func TestQuoteWord(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("cmd.exe quotes in another way")
	}
	for word, want := range map[string]string{
		"./a-b_c.sh": "./a-b_c.sh", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$(x)": "'$(x)'", "~x": "'~x'", "a\nb": "'a\nb'",
	} {
		if got := quoteWord(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

// The log has the remedy beside the cause, and a cause that is not known as it is.
func TestStartHintLogged(t *testing.T) {
	var b strings.Builder
	log := withHints(0, false, newLogger(&b, "debug", "text"))
	log(bridge.NotStarted{Err: &process.StartError{Path: "/srv/x", Fault: process.NotExecutable, Err: fs.ErrPermission}})
	log(bridge.NotStarted{Err: errors.New("it broke")})
	for _, want := range []string{`error="/srv/x: it is not executable (try: chmod +x /srv/x)"`, `error="it broke"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("not %s, but %s", want, &b)
		}
	}
}
