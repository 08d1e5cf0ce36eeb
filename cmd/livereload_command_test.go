package cmd

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// pageWithSocket shows each message and each end, and connects again.
const pageWithSocket = `<!doctype html><p></p><script>
function connect() {
  const socket = new WebSocket(location.href.replace('http', 'ws'));
  socket.onopen = () => socket.send('hello');
  socket.onmessage = event => document.querySelector('p').textContent += event.data + ' ';
  socket.onclose = ({ code }) => {
    document.querySelector('p').textContent += code + ' ';
    setTimeout(connect, 50);
  };
}
connect();
</script>`

// script writes a command of its own for a test, which answers with a word.
func script(t *testing.T, path, word string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no shell")
	}
	text := "#!/bin/sh\nwhile read -r line; do echo " + word + "; done\n"
	next := path + ".next"
	if err := os.WriteFile(next, []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

func reconnectsPage(t *testing.T, browser context.Context) {
	command := filepath.Join(t.TempDir(), "answer.sh")
	script(t, command, "first")
	w := startWork(t, []string{command}, "index.html", pageWithSocket)
	p := w.openPage(browser, "")
	p.says("first ")
	script(t, command, "second")
	p.says("first 1012 second ")
	if !ask[bool](p, `window.marked === true`) {
		t.Error("the page was loaded again")
	}
}

func reconnectsConsole(t *testing.T, browser context.Context) {
	command := filepath.Join(t.TempDir(), "answer.sh")
	script(t, command, "first")
	s := serveConsole(t, "--livereload", command)
	p := openConsole(t, browser, s.page)
	p.click("#reconnect")
	p.send("hello")
	p.row("received", "first")
	script(t, command, "second")
	p.row("note", "1012: the command is being restarted (the command has changed)")
	p.sentence("Connected")
	p.send("hello")
	p.row("received", "second")
}
