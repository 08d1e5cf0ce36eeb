//go:build unix

package examples

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// languages are those that each of count, greeter and dump-env is there in.
// The command of a program is its file, unless command says how it is made.
var languages = []struct {
	name, needs string
	file        string // its name, for PROGRAM the program's, for CLASS that in Java's spelling
	command     func(t *testing.T, file string) []string
}{
	{"bash", "bash", "PROGRAM.sh", nil},
	{"python", "python3", "PROGRAM.py", nil},
	{"node", "node", "PROGRAM.js", nil},
	{"perl", "perl", "PROGRAM.pl", nil},
	{"awk", "awk", "PROGRAM.awk", nil},
	{"ruby", "ruby", "PROGRAM.rb", nil},
	{"php", "php", "PROGRAM.php", nil},
	{"lua", "lua", "PROGRAM.lua", nil},
	{"tcl", "tclsh", "PROGRAM.tcl", nil},
	{"c", "cc", "PROGRAM.c", compiled("cc", "-Wall", "-Wextra", "-Werror")},
	{"rust", "rustc", "PROGRAM.rs", compiled("rustc", "-Dwarnings")},
	{"go", "go", "go", func(t *testing.T, dir string) []string {
		return compiled("go", "build")(t, "./"+dir)
	}},
	{"java", "javac", "CLASS.java", func(t *testing.T, file string) []string {
		// A Mac has a javac that says where to get one.
		if err := exec.Command("javac", "-version").Run(); err != nil {
			t.Skipf("there is no Java behind javac: %v", err)
		}
		return []string{"java", file}
	}},
}

// compiled makes a command with a compiler that takes -o.
func compiled(compiler string, flags ...string) func(t *testing.T, source string) []string {
	return func(t *testing.T, source string) []string {
		t.Helper()
		binary := filepath.Join(t.TempDir(), "binary")
		compile := exec.Command(compiler, append(flags, "-o", binary, source)...)
		if out, err := compile.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", compile.Args, err, out)
		}
		return []string{binary}
	}
}

// inEach runs a test of a program in each language, with a server of it.
func inEach(t *testing.T, program string, test func(t *testing.T, s *server)) {
	t.Helper()
	t.Parallel()
	classes := map[string]string{"count": "Count", "greeter": "Greeter", "dump-env": "DumpEnv"}
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			need(t, l.needs)
			file := strings.NewReplacer("PROGRAM", program, "CLASS", classes[program]).Replace(l.file)
			command := []string{filepath.Join(program, file)}
			if l.command != nil {
				command = l.command(t, command[0])
			}
			test(t, start(t, nil, append([]string{"--staticdir=" + program}, command...)...))
		})
	}
}

func TestCountInEachLanguage(t *testing.T) {
	want := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}
	inEach(t, "count", func(t *testing.T, s *server) {
		s.page("count/index.html")
		// Numbers that come all at once were held back. Once in a while it is
		// this test that comes late.
		for range 3 {
			c := s.dial(t, "")
			lines := []string{c.read()}
			first := time.Now()
			rest, closed := c.rest()
			lines = append(lines, rest...)
			if !slices.Equal(lines, want) || closed.Code != websocket.StatusNormalClosure {
				t.Fatalf("got %q and %v, want %q", lines, closed, want)
			}
			if time.Since(first) > time.Second {
				return
			}
		}
		t.Error("the numbers come all at once")
	})
}

func TestGreeterInEachLanguage(t *testing.T) { inEach(t, "greeter", greet) }

func TestDumpEnvInEachLanguage(t *testing.T) {
	inEach(t, "dump-env", func(t *testing.T, s *server) {
		s.page("dump-env/index.html")
		lines, closed := s.dial(t, "a%20b?name=me&msg=hello%20world").rest()
		if closed.Code != websocket.StatusNormalClosure {
			t.Error(closed)
		}
		// Some shells and interpreters add variables of their own.
		var names []string
		vars := map[string]string{}
		for _, line := range lines {
			name, value, _ := strings.Cut(line, "=")
			names = append(names, name)
			vars[name] = value
		}
		if !slices.IsSorted(names) {
			t.Errorf("not sorted: %q", names)
		}
		for name, want := range map[string]string{
			"AUTH_TYPE":         "",
			"GATEWAY_INTERFACE": "CGI/1.1",
			"HTTP_HOST":         vars["SERVER_NAME"] + ":" + vars["SERVER_PORT"],
			"PATH_INFO":         "/a b",
			"QUERY_STRING":      "name=me&msg=hello%20world",
			"REMOTE_ADDR":       "127.0.0.1",
			"REQUEST_METHOD":    "GET",
			"REQUEST_URI":       "/a%20b?name=me&msg=hello%20world",
		} {
			if got, ok := vars[name]; got != want || !ok {
				t.Errorf("%s=%s (%t), want %s", name, got, ok, want)
			}
		}
		if !strings.Contains(vars["PATH"], s.mark) {
			t.Errorf("PATH=%s, want %s in it", vars["PATH"], s.mark)
		}
	})
}
