package livereload

import (
	"io"
	"log/slog"
	"testing"
	"time"
)

// A log that nobody reads keeps no page from being told, and no stream from ending.
func TestStuckLog(t *testing.T) {
	log, w := io.Pipe()
	defer log.Close()
	l := New(true, time.Minute, slog.New(slog.NewTextHandler(w, nil)))
	before := l.edition()
	changed := make(chan struct{})
	go func() {
		defer close(changed)
		l.Changed([]string{"a.html"})
	}()
	if _, err := log.Read(make([]byte, 1)); err != nil { // the rest of the line is stuck
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-before.over
		l.Close()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the pages wait for the log")
	}
	log.Close()
	<-changed
}
