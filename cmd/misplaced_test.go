package cmd

import (
	"strings"
	"testing"
)

// What is warned of in a command line, and what is not.
func TestMisplaced(t *testing.T) {
	for _, test := range []struct {
		args   string
		flags  string // given to the command
		valued string
	}{
		{"bash --devconsole", "--devconsole", ""},
		{"--port=1 ./x --port=2 y --origin null --port=3", "--port --origin", ""},
		{"bash -c x --staticdir=.", "--staticdir", ""},
		{"-- bash --devconsole", "", ""},
		{"--port=1 -- bash --devconsole", "", ""},
		{"sh -c x -- --port", "", ""},
		{"bash --help", "", ""},
		{"bash --version --license", "", ""},
		{"bash --norc -port devconsole", "", ""},
		{"grep --line-buffered x", "", ""},

		{"--binary true ./x", "", "--binary"},
		{"--port=1 --binary FALSE ./x", "", "--binary"},
		{"-binary 1", "", "--binary"},
		{"--livereload script ./x", "", "--livereload"},
		{"--livereload inject", "", "--livereload"},
		{"--livereload true", "", ""},
		{"--binary -- true", "", ""},
		{"--binary --port=1 true", "", ""},
		{"--port 1 true", "", ""},
		{"--binary truer", "", ""},
		{"true", "", ""},
		{"--binary true --port", "--port", "--binary"},
	} {
		o, _, status, stderr := parse(strings.Fields(test.args)...)
		if status != 0 {
			t.Errorf("%s: %d, %s", test.args, status, stderr)
			continue
		}
		if got := o.misplaced; strings.Join(got.flags, " ") != test.flags || got.valued != test.valued {
			t.Errorf("%s: %+v", test.args, got)
		}
	}
}
