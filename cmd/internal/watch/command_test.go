package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The files of a command are looked at until they are whole.
func TestWatchFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// The states of a file that is there, of one that was written later, of one that is longer.
	states := map[rune]State{'-': {}}
	for i, name := range "abcd" {
		path := filepath.Join(dir, string(name))
		if err := os.WriteFile(path, []byte(strings.Repeat("x", i)), 0o777); err != nil {
			t.Fatal(err)
		}
		states[name] = StateOf(path)
		if !states[name].Exists() {
			t.Fatal("it is not there")
		}
	}
	for _, test := range []struct {
		name  string
		looks [2]string // what each look finds of the two files; the last stays
		want  string    // the file that has changed, by look
	}{
		{"nothing", [2]string{"a", "b"}, ""},
		{"the first", [2]string{"acc", "b"}, "2:0"},
		{"the second", [2]string{"a", "bbd"}, "3:1"},
		{"both", [2]string{"acc", "bdd"}, "2:0"},
		{"both, one later", [2]string{"accc", "bbdd"}, "3:0"},
		{"twice", [2]string{"accaa", "b"}, "2:0 4:0"},
		{"in pieces", [2]string{"abcdbcda", "b"}, ""},
		{"in pieces, and then another", [2]string{"abcdbcdd", "b"}, "7:0"},
		{"removed", [2]string{"a---", "b"}, ""},
		{"removed and put back", [2]string{"a---aa", "b"}, ""},
		{"removed and made anew", [2]string{"a---cc", "b"}, "5:0"},
		{"not there at first", [2]string{"--cc", "b"}, "3:0"},
		{"made anew while the other is away", [2]string{"accccc", "b---b"}, "5:0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				n := -1
				look := func() []State {
					n++
					now := make([]State, 2)
					for i, looks := range test.looks {
						now[i] = states[rune(looks[min(n, len(looks)-1)])]
					}
					return now
				}
				var got []string
				known := look()
				done := begin(func() {
					watchFiles(ctx, known, look, func(i int) { got = append(got, fmt.Sprintf("%d:%d", n, i)) })
				})
				time.Sleep(20*Interval + 1)
				cancel()
				<-done
				if got := strings.Join(got, " "); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		})
	}
}

func TestCommandFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{"chat.py": "", "run": "#!/bin/sh\n", "plain": "text", "app.log": "#", "chat.db": "", "empty": "", "sub/x.js": "", "tool": "text"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o666)
		if name == "tool" {
			mode = 0o777
		}
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ command, want string }{
		{"chat.py", "chat.py"},
		{"python3 -u chat.py", "python3 chat.py"},
		{"node sub/x.js chat.db", "node sub/x.js"},
		{"sh run plain app.log empty", "sh run"},
		{"tail -F app.log", "tail"},
		{"awk -f none.awk", "awk"},
		{"cat sub", "cat"},
		{"nice tool", "nice tool"},
	} {
		if runtime.GOOS == "windows" && test.command == "nice tool" {
			continue // what can be run has an extension there
		}
		var want []string
		for _, name := range strings.Fields(test.want) {
			abs, err := filepath.Abs(name)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, abs)
		}
		if got := commandFiles(strings.Fields(test.command)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q", test.command, got)
		}
	}
}

// A program counts as there when it can be run.
func TestLookAt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a program has no permissions there, but a name")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "program")
	files := []string{path, path, filepath.Join(dir, "none")}
	is := func() (there [3]bool) {
		for i, state := range lookAt(files) {
			there[i] = state.Exists()
		}
		return there
	}
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := is(); got != [3]bool{false, true, false} {
		t.Error(got)
	}
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if got := is(); got != [3]bool{true, true, false} {
		t.Error(got)
	}
}
