package process

import "testing"

// What Windows does not start: scripts and other text, but batch files whatever is in them.
func TestContentsOnWindows(t *testing.T) {
	for _, test := range []struct {
		path, head string
		ahead      Fault
		fault      Fault
		named      string
	}{
		{"x.py", "#!/usr/bin/env python3\r\n", ScriptOnWindows, ScriptOnWindows, "/usr/bin/env python3"},
		{"x", "#! /bin/sh -e\n", ScriptOnWindows, ScriptOnWindows, "/bin/sh -e"},
		{"x.bat", "#!/bin/sh\n", 0, 0, ""},
		{"x.CMD", "", 0, 0, ""},
		{"x.py", "print(1)\n", 0, NoFirstLine, ""},
		{"x.exe", "", 0, Empty, ""},
		{"x.exe", "MZ\x00", 0, OtherSystem, ""},
	} {
		ahead, _ := (&programFile{path: test.path, ahead: true}).contentsOnWindows([]byte(test.head))
		fault, named := (&programFile{path: test.path}).contentsOnWindows([]byte(test.head))
		if ahead != test.ahead || fault != test.fault || named != test.named {
			t.Errorf("%s, %q: %d ahead, then %d, %q", test.path, test.head, ahead, fault, named)
		}
	}
}

// Every fault is put into words, and into other ones.
func TestFaultsInWords(t *testing.T) {
	seen := make(map[string]Fault)
	for f := DanglingLink; f <= ScriptOnWindows; f++ {
		what := (&StartError{Fault: f, Named: "x"}).What()
		if other, ok := seen[what]; ok || what == "it cannot be started" {
			t.Errorf("%d and %d: %s", f, other, what)
		}
		seen[what] = f
	}
}
