package watch

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A log that nobody reads keeps no lock.
func TestTreeWithAStuckLog(t *testing.T) {
	t.Parallel()
	log, w := io.Pipe()
	defer log.Close()
	tr := newTree(t.TempDir(), slog.New(slog.NewTextHandler(w, nil)), new(fsnotify.Watcher))
	added := begin(func() { tr.add("\x00") })            // no system has such a name
	if _, err := log.Read(make([]byte, 1)); err != nil { // the rest of the line is stuck
		t.Fatal(err)
	}
	select {
	case <-begin(func() { tr.real() }):
	case <-time.After(patience):
		t.Fatal("the lock is kept")
	}
	log.Close()
	<-added
}
