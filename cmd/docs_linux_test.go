package cmd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestDocs does what README.md and the manual pages say, in a directory that has only
// what they assume. Of their code blocks
//
//	```sh            are commands: servers, which are started one after another, and others
//	```sh prompt     are servers that answer each line as it comes
//	```console       are commands with what they print, for the server before them
//	```LANGUAGE PATH are files
//
// and all others are not for a shell.
func TestDocs(t *testing.T) {
	for _, name := range append(writtenPages(t), "../README.md") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			for _, m := range codeBlock.FindAllStringSubmatch(readText(t, name), -1) {
				r.block(m[1], m[2], m[3])
			}
			if r.done == 0 {
				t.Error("no commands")
			}
		})
	}
}

var codeBlock = regexp.MustCompile("(?ms)^```([a-z]+) ?([^\n]*)\n(.*?)^```$")

// notRun are the commands that a test cannot run, and why.
var notRun = map[string]string{
	"--port=443":   "takes special rights",
	"systemctl":    "changes the machine",
	"docker":       "needs images from the network",
	"npx":          "needs a package from the network",
	"ssh":          "needs another machine",
	"/dev/ttyUSB0": "needs the device",
	"/dev/video0":  "needs the device",
	"go test":      "is what runs this",
}

// assumed is what the texts take to be there, and do not make themselves.
var assumed = map[string]string{
	"greet.sh":          "#!/bin/sh\nwhile read -r name; do echo \"Hello, $name!\"; done\n",
	"chat.py":           "while True: print(input())\n",
	"a.out":             "#!/bin/sh\n",
	"public/index.html": "<!doctype html>\n",
	"cgi-bin/README":    "",
}

// A docReader is somebody who does what a text says.
type docReader struct {
	t    *testing.T
	dir  string
	port string
	done int  // commands
	lost bool // the server is one that lacks something

	stop func() // the server
}

func newReader(t *testing.T) *docReader {
	r := &docReader{t: t, dir: t.TempDir(), port: strconv.Itoa(freePort()), stop: func() {}}
	for name, text := range assumed {
		r.write(name, text)
	}
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *docReader) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	mode := os.FileMode(0o644)
	if strings.HasPrefix(text, "#!") {
		mode = 0o755
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		r.t.Fatal(err)
	}
}

// block does what one code block says.
func (r *docReader) block(language, what, text string) {
	switch {
	case what != "" && what != "prompt":
		r.write(what, text)
	case language == "sh":
		for command := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
			command, _, _ = strings.Cut(command, "   #")
			r.command(strings.TrimSpace(command), what == "prompt", "")
		}
	case language == "console":
		var command, want string
		for line := range strings.Lines(text + "$ ") {
			if more, ok := strings.CutPrefix(line, "> "); ok {
				command += more
			} else if next, ok := strings.CutPrefix(line, "$ "); ok {
				if command != "" {
					r.command(strings.TrimSpace(command), false, strings.TrimSpace(want))
				}
				command, want = next, ""
			} else {
				want += line
			}
		}
	}
}

// isServer tells commands that go on from those that end.
func isServer(command string) bool {
	return strings.HasPrefix(command, "wsbridge ") && !strings.HasPrefix(command, "wsbridge connect") &&
		!strings.HasPrefix(command, "wsbridge completion") && !strings.HasPrefix(command, "wsbridge --help") ||
		strings.HasPrefix(command, "go run . ")
}

// command runs a command. It wants an answer to a line if it is a server that
// answers promptly, and want of any.
func (r *docReader) command(command string, prompt bool, want string) {
	t := r.t
	for part, why := range notRun {
		if strings.Contains(command, part) {
			t.Logf("not run, because it %s: %s", why, command)
			return
		}
	}
	if isServer(command) {
		r.lost = false
	}
	r.lost = r.lost || !r.has(command)
	if r.lost {
		return
	}
	r.done++
	command = strings.ReplaceAll(command, "8080", r.port)
	if usageError := strings.Contains(want, "--help"); !isServer(command) || usageError {
		r.run(command, want, usageError)
		return
	}
	r.serve(command, want)
	if prompt {
		r.wantAnswer(command)
	}
}

// run runs a command that ends, and prints want. A client that waits for more than
// that has the time of a slow machine, and is ended when it is there.
func (r *docReader) run(command, want string, fails bool) {
	t := r.t
	t.Logf("$ %s", command)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out := newWatched()
	cmd := exec.CommandContext(ctx, "bash", "-c", strings.Replace(command, "wsbridge connect ", "wsbridge connect --linger=1m ", 1))
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = r.dir, out, out, quickEnd()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var err error
	go func() {
		defer close(ended)
		err = cmd.Wait()
	}()
	found := out.wait(regexp.MustCompile(`^\s*`+regexp.QuoteMeta(want)+`\s*$`), ended)
	if found != nil && strings.Contains(command, "wsbridge connect") {
		cancel()
		<-ended
		return
	}
	<-ended
	if err != nil && !fails {
		t.Errorf("%s: %v", command, err)
	}
	if got := strings.TrimSpace(out.text()); got != want {
		t.Errorf("%s prints\n%s\nwant\n%s", command, got, want)
	}
}

// has reports whether the programs of a command are there. In CI all must be.
func (r *docReader) has(command string) bool {
	for _, program := range []string{"bash", "curl", "gawk", "gdb", "jq", "mawk", "mosquitto_sub", "perl", "php-cgi", "pylsp", "python3", "ruby", "vmstat"} {
		if !strings.Contains(command, program) && !(program == "php-cgi" && strings.Contains(command, ".php")) {
			continue
		}
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			r.t.Errorf("there is no %s here, and CI is set", program)
		}
		r.t.Logf("there is no %s here for: %s", program, command)
		return false
	}
	return true
}

// serve starts a server in the place of the one before, and waits until it listens.
func (r *docReader) serve(command, want string) {
	t := r.t
	r.stop()
	t.Logf("$ %s &", command)
	if !strings.Contains(command, "-port=") && !strings.Contains(command, "unixsocket") {
		command = strings.Replace(command, "wsbridge ", "wsbridge --port="+r.port+" ", 1)
	}
	stderr := newWatched()
	cmd := exec.Command("bash", "-c", "exec "+strings.Replace(command, "go run .", "wsbridge", 1))
	reports, reporting, err := newReports()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Dir, cmd.Stderr, cmd.Env = r.dir, stderr, append(quickEnd(), reporting)
	if strings.Contains(command, "examples/") {
		cmd.Dir = ".." // it is for a checkout
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
		reports.close()
	}()
	r.stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	}
	_, listens := reports.listening()
	if want != "" {
		re := regexp.MustCompile(regexp.QuoteMeta(strings.ReplaceAll(want, "8080", r.port)))
		listens = listens && stderr.wait(re, ended) != nil
	}
	if !listens {
		t.Errorf("%s does not listen:\n%s", command, stderr.text())
	}
}

// quickEnd is the environment in which the race detector does not make each process
// wait a second at its end.
func quickEnd() []string { return append(os.Environ(), "GORACE=atexit_sleep_ms=0") }

// wantAnswer sends a line and wants one back while the input goes on.
func (r *docReader) wantAnswer(command string) {
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, fmt.Sprintf("ws://127.0.0.1:%s/", r.port), nil)
	if err != nil {
		r.t.Error(err)
		return
	}
	defer c.CloseNow()
	if err := c.Write(ctx, websocket.MessageText, []byte("foo")); err != nil {
		r.t.Error(err)
	}
	begin := time.Now()
	if _, line, err := c.Read(ctx); err != nil || len(line) == 0 {
		r.t.Errorf("%s: after %s: %q, %v", command, time.Since(begin), line, err)
	}
}
