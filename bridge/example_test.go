//go:build unix

package bridge_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/coder/websocket"

	"github.com/wsbridge/wsbridge/bridge"
)

// A program with a page of its own and a WebSocket beside it.
func ExampleHandler() {
	greeter := &bridge.Handler{
		Command: []string{"sh", "-c", `while read name; do echo "Hello, $name!"; done`},
		Env:     []string{"PATH=" + os.Getenv("PATH")},
	}
	mux := http.NewServeMux()
	mux.Handle("/greet", greeter)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the page") })

	srv := httptest.NewServer(mux)
	defer srv.Close()
	defer greeter.Shutdown(context.Background()) // http.Server.Shutdown leaves WebSockets alone

	ctx := context.Background()
	ws, _, err := websocket.Dial(ctx, srv.URL+"/greet", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ws.CloseNow()
	if err := ws.Write(ctx, websocket.MessageText, []byte("gopher")); err != nil {
		log.Fatal(err)
	}
	_, message, err := ws.Read(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", message)
	// Output: Hello, gopher!
}

// A directory of programs: the path of the URL names the one to start.
func ExampleHandler_commandDir() {
	dir, err := os.MkdirTemp("", "scripts")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	script := "#!/bin/sh\necho \"$SCRIPT_NAME was asked for $PATH_INFO\"\n"
	if err := os.WriteFile(filepath.Join(dir, "where.sh"), []byte(script), 0o755); err != nil {
		log.Fatal(err)
	}

	root, err := os.OpenRoot(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer root.Close()
	h := &bridge.Handler{CommandDir: root}
	srv := httptest.NewServer(h)
	defer srv.Close()
	defer h.Shutdown(context.Background())

	stdin, w := io.Pipe() // nothing to say
	defer w.Close()
	c := &bridge.Client{Stdin: stdin, Stdout: os.Stdout}
	if _, err := c.Run(context.Background(), srv.URL+"/where.sh/some/thing"); err != nil {
		log.Fatal(err)
	}
	// Output: /where.sh was asked for /some/thing
}

// Several programs behind one gate, which share their places and their log.
func ExampleLimits() {
	gate := &bridge.Gate{Hosts: []string{"box.example"}}
	limits := &bridge.Limits{MaxForks: 100}
	mux := http.NewServeMux()
	for path, command := range map[string][]string{"/echo": {"cat"}, "/load": {"vmstat", "1"}} {
		mux.Handle(path, &bridge.Handler{
			Command: command,
			Gate:    gate,
			Limits:  limits,
			Events:  bridge.LogEvents(slog.Default()),
		})
	}
	log.Fatal(http.ListenAndServe("localhost:8080", mux))
}

// What a remote program prints, and how it ended.
func ExampleClient() {
	h := &bridge.Handler{Command: []string{"sh", "-c", "echo one; echo two; exit 3"}}
	srv := httptest.NewServer(h)
	defer srv.Close()
	defer h.Shutdown(context.Background())

	stdin, w := io.Pipe() // nothing to say
	defer w.Close()
	c := &bridge.Client{Stdin: stdin, Stdout: os.Stdout}
	end, err := c.Run(context.Background(), srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(end.Code, end.Reason, end.ExitStatus())
	// Output:
	// one
	// two
	// 4003 exit status 3 3
}
