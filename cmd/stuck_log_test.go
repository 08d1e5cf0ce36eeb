package cmd

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsbridge/wsbridge/cmd/internal/listen"
	"github.com/wsbridge/wsbridge/cmd/internal/site/sitetest"
)

// readUntil reads a log until it says something. The rest of that line stays where
// it is: whoever writes it waits.
func readUntil(log io.Reader, text string) <-chan struct{} {
	return begin(func() {
		var got []byte
		for part := make([]byte, 1); !bytes.Contains(got, []byte(text)); {
			n, err := log.Read(part)
			if err != nil {
				return
			}
			got = append(got, part[:n]...)
		}
	})
}

// With a log that nobody reads, the first signal closes the connections and the
// second ends the server.
func TestServeEndsWithAStuckLog(t *testing.T) {
	dir := sitetest.Public(t)
	o, _, status, stderr := parse("--livereload", "--staticdir="+dir, "child", "echo")
	if status != 0 {
		t.Fatal(stderr)
	}
	log, w := io.Pipe()
	defer log.Close()
	stuck := readUntil(log, "msg=changed")
	s, err := o.siteOptions.open(nil, time.Minute, newLogger(w, "info", "text"))
	if err != nil {
		t.Fatal(err)
	}
	signals := make(chan os.Signal, 2)
	listeners, err := listen.TCP(t.Context(), []string{"127.0.0.1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(s, timeouts{}, nil, s.log)
	ended := make(chan error, 1)
	go func() { ended <- srv.serve(t.Context(), listeners, signals) }()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, listen.URL("ws", listeners[0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	if err := echo(ctx, c, "hello"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "new.html"), []byte("new"))
	select {
	case <-stuck:
	case <-ctx.Done():
		t.Fatal("the change is not logged")
	}
	signals <- os.Interrupt
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the client sees %v", err)
	}
	signals <- os.Interrupt
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
}

// A log that nobody reads from the beginning on does not keep the server from ending.
func TestServeEndsBeforeItIsAnnounced(t *testing.T) {
	o, _, status, stderr := parse("--port=0", "child", "echo")
	if status != 0 {
		t.Fatal(stderr)
	}
	log, w := io.Pipe()
	defer log.Close()
	o.stderr = w
	stuck := readUntil(log, "listening")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- runServe(ctx, o) }()
	select {
	case <-stuck:
	case err := <-ended:
		t.Fatal(err)
	}
	cancel()
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
}
