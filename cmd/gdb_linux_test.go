package cmd

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A debugging is a connection to gdb, whose machine interface consists of lines.
type debugging struct {
	*testing.T
	c *websocket.Conn
}

// startGDB opens a connection to a gdb of its own, and waits until it takes commands.
func startGDB(t *testing.T, s environServer) debugging {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws://"+s.where+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	d := debugging{t, c}
	d.wants(`^\(gdb\) $`)
	return d
}

// says gives a command, and waits for a record. It returns what the pattern has found.
func (d debugging) says(command, pattern string) []string {
	d.Helper()
	if err := d.c.Write(d.Context(), websocket.MessageText, []byte(command)); err != nil {
		d.Fatal(err)
	}
	return d.wants(pattern)
}

func (d debugging) wants(pattern string) []string {
	d.Helper()
	re := regexp.MustCompile(pattern)
	var before []string
	for {
		line, err := d.read()
		if err != nil {
			d.Fatalf("%v before %q; there was %q", err, pattern, before)
		}
		if found := re.FindStringSubmatch(line); found != nil {
			return found
		}
		before = append(before, line)
	}
}

func (d debugging) read() (string, error) {
	ctx, cancel := context.WithTimeout(d.Context(), patience)
	defer cancel()
	_, line, err := d.c.Read(ctx)
	return string(line), err
}

// TestGDB debugs a program: it stops where it should, tells of a variable, and is gone
// with gdb, whether gdb is told to exit or the client leaves.
func TestGDB(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"gdb", "gcc"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, program)
		}
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "a.c"), filepath.Join(dir, "a.out")
	if err := os.WriteFile(source, []byte("int twice(int n) {\n\treturn 2 * n;\n}\n\nint main(void) {\n\treturn twice(21);\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-g", "-O0", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	s := serveEnviron(t, "tcp", os.Environ(), "gdb", "-q", "-nx", "--interpreter=mi2",
		"-iex", "set startup-with-shell off", "-iex", "set debuginfod enabled off", program)
	for name, end := range map[string]func(debugging) websocket.StatusCode{
		"exit": func(d debugging) websocket.StatusCode {
			d.says("9-gdb-exit", `^9\^exit`)
			for {
				if _, err := d.read(); err != nil {
					return websocket.CloseStatus(err)
				}
			}
		},
		"leave": func(d debugging) websocket.StatusCode {
			if err := d.c.Close(websocket.StatusNormalClosure, ""); err != nil {
				d.Error(err)
			}
			return websocket.StatusNormalClosure
		},
		"vanish": func(d debugging) websocket.StatusCode {
			d.c.CloseNow()
			return websocket.StatusNormalClosure
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startGDB(t, s)
			d.says("1-break-insert twice", `^1\^done,bkpt=.*func="twice"`)
			found := d.says("2-exec-run", `^=thread-group-started,.*pid="(\d+)"`)
			d.wants(`^\*stopped,reason="breakpoint-hit"`)
			d.says("3-data-evaluate-expression n", `^3\^done,value="21"`)
			d.says("4-no-such-command", `^4\^error,`)
			d.says("5-exec-finish", `^5\^running`)
			d.wants(`^\*stopped,reason="function-finished",.*return-value="42"`)
			if code := end(d); code != websocket.StatusNormalClosure {
				t.Errorf("closed with %d", code)
			}
			pid, _ := strconv.Atoi(found[1])
			for begin := time.Now(); syscall.Kill(pid, 0) != syscall.ESRCH && !isZombie(pid); time.Sleep(time.Millisecond) {
				if time.Since(begin) > patience {
					t.Fatal("the program that was debugged is left")
				}
			}
		})
	}
}
