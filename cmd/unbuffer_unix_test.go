//go:build unix

package cmd

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// late are programs that hold back what they answer to a line, unless they answer to a
// terminal.
var late = map[string][]string{
	"python3":      {"python3", "-c", "import sys\nfor line in sys.stdin: print('got', line)"},
	"ruby":         {"ruby", "-ne", `puts "got #{$_}"`},
	"perl":         {"perl", "-ne", `print "got $_"`},
	"C":            {"DIR/answer"},
	"gawk":         {"gawk", `{ print "got " $0 }`},
	"original-awk": {"original-awk", `{ print "got " $0 }`},
	"mawk":         {"mawk", `BEGIN { print "got"; while (1) getline < "DIR/fifo" }`},
	"grep":         {"grep", "foo"},
	"sed":          {"sed", "s/^/got /"},
	"cut":          {"cut", "-c1-"},
	"tr":           {"tr", "a-z", "A-Z"},
	"uniq":         {"uniq"},
	"fold":         {"fold"},
	"nl":           {"nl"},
	"rev":          {"rev"},
	"jq":           {"jq", "-R", "."},
	"lua":          {"lua", "-e", `for l in io.lines() do io.write("got ", l, "\n") end`},
	"a pipeline":   {"sh", "-c", "cat | sed s/foo/bar/"},
}

// prompt are programs that do not wait for more, with or without a terminal.
var prompt = map[string][]string{
	"php":   {"php", "-r", `while ($l = fgets(STDIN)) echo "got $l";`},
	"node":  {"node", "-e", `process.stdin.on("data", d => process.stdout.write("got " + d))`},
	"tclsh": {"tclsh", "DIR/answer.tcl"},
	"cat":   {"cat"},
}

var answerPrograms = map[string]string{
	"answer.c":   "#include <stdio.h>\nint main(void) { char b[99]; while (fgets(b, sizeof b, stdin)) printf(\"got %s\", b); }\n",
	"answer.tcl": "while {[gets stdin line] >= 0} { puts \"got $line\" }\n",
}

// The answer to the first line arrives while the program waits for the second one. Of
// those that are late without --unbuffer, none does there.
func TestUnbuffer(t *testing.T) {
	dir := t.TempDir()
	for name, text := range answerPrograms {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, make := range [][]string{{"gcc", "-o", dir + "/answer", dir + "/answer.c"}, {"mkfifo", dir + "/fifo"}} {
		if out, err := exec.Command(make[0], make[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", make[0], err, out)
		}
	}
	for name, command := range late {
		t.Run(name, func(t *testing.T) {
			answers(t, dir, command, "--unbuffer")
			c := unbufferDial(t, dir, command)
			// This much is enough for most, and a slow machine does no harm.
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if _, line, err := c.Read(ctx); err == nil {
				t.Errorf("without --unbuffer it answers at once: %q", line)
			}
		})
	}
	for name, command := range prompt {
		t.Run(name, func(t *testing.T) {
			answers(t, dir, command, "--unbuffer")
			answers(t, dir, command)
		})
	}
}

// answers wants the answer to a line, without a carriage return.
func answers(t *testing.T, dir string, command []string, flags ...string) {
	t.Helper()
	c := unbufferDial(t, dir, command, flags...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, line, err := c.Read(ctx); err != nil || len(line) == 0 {
		t.Errorf("%q: %q, %v", flags, line, err)
	}
}

// unbufferDial serves a command, and sends it a line.
func unbufferDial(t *testing.T, dir string, command []string, flags ...string) *websocket.Conn {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil && command[0] != "DIR/answer" {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, word := range command {
		flags = append(flags, strings.ReplaceAll(word, "DIR", dir))
	}
	s := serveEnviron(t, "tcp", os.Environ(), flags...)
	c := dialServer(t, s)
	if err := c.Write(t.Context(), websocket.MessageText, []byte("foo")); err != nil {
		t.Fatal(err)
	}
	return c
}

func dialServer(t *testing.T, s environServer) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws://"+s.where+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	return c
}

// What arrives are the bytes that the program has written, to the last one: 10 MB of all
// values, in which a terminal that is not raw would change many.
func TestUnbufferBytes(t *testing.T) {
	want := make([]byte, 10<<20)
	for i := range want {
		want[i] = byte(i ^ i>>8 ^ i>>16)
	}
	file := filepath.Join(t.TempDir(), "all")
	if err := os.WriteFile(file, want, 0o644); err != nil {
		t.Fatal(err)
	}
	got, code := unbuffered(t, nil, "--framing=bytes", "cat", file)
	if got != string(want) || code != websocket.StatusNormalClosure {
		t.Errorf("%d bytes of %d, closed with %d", len(got), len(want), code)
	}
}

// unbuffered is all that a server of --unbuffer sends, and the code that it closes with.
func unbuffered(t *testing.T, env []string, args ...string) (string, websocket.StatusCode) {
	t.Helper()
	s := serveEnviron(t, "tcp", append(os.Environ(), env...), append([]string{"--unbuffer"}, args...)...)
	c := dialServer(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []byte
	for {
		kind, message, err := c.Read(ctx)
		if err != nil {
			return string(all), websocket.CloseStatus(err)
		}
		if all = append(all, message...); kind == websocket.MessageText {
			all = append(all, '\n')
		}
	}
}

// Programs that look at their terminal print as into a pipe: they do not colour, page,
// wrap or cut.
func TestUnbufferPlain(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("x", 200)
	script := "cd " + dir + ` && git init -q . && git -c user.name=a -c user.email=b@c commit -q --allow-empty -m ` + long + ` && touch a b ` + long
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	commands := [][]string{
		{"ls", dir},
		{"ls", "--color=auto", dir},
		{"git", "-C", dir, "log", "--no-decorate"},
		{"git", "-C", dir, "-c", "color.ui=auto", "log", "--oneline", "--no-decorate"},
		{"grep", "--color=auto", "-r", "a", dir + "/.git/HEAD"},
		{"printf", "%s", "no newline at the end"},
		{"sh", "-c", "printf 'pending\n\n'; exit 3"},
	}
	if runtime.GOOS == "linux" {
		commands = append(commands, []string{"ps", "-o", "args=", "-p", "1"}, []string{"ps", "-o", "pid,ppid,args", "-p", "1"})
	}
	for _, command := range commands {
		want, _ := exec.Command(command[0], command[1:]...).Output()
		got, _ := unbuffered(t, nil, append([]string{"--framing=bytes"}, command...)...)
		if got != string(want) {
			t.Errorf("%q prints %q, want %q", command, got, want)
		}
	}
}

// The variables are what a terminal that can do little has, unless --passenv says
// otherwise.
func TestUnbufferEnvironment(t *testing.T) {
	names := []string{"TERM", "NO_COLOR", "PAGER", "COLUMNS"}
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{nil, "TERM=dumb true\nNO_COLOR=1 true\nPAGER=cat true\nCOLUMNS=100000 true\n"},
		{[]string{"--passenv=TERM=vt100,NO_COLOR=,COLUMNS=80"}, "TERM=vt100 true\nNO_COLOR= true\nPAGER=cat true\nCOLUMNS=80 true\n"},
		{[]string{"--share"}, "TERM=dumb true\nNO_COLOR=1 true\nPAGER=cat true\nCOLUMNS=100000 true\n"},
	} {
		args := append(append(test.flags, "child", "env"), names...)
		if got, _ := unbuffered(t, []string{"TERM=xterm"}, args...); got != test.want {
			t.Errorf("%q: got %q, want %q", test.flags, got, test.want)
		}
	}
}
