package watch

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// A treeLog keeps what a tree has told.
type treeLog struct {
	*testing.T
	dir string

	mu    sync.Mutex
	names []string
}

// watchedTree watches a directory with these files.
func watchedTree(t *testing.T, log *slog.Logger, files ...string) *treeLog {
	t.Helper()
	l := &treeLog{T: t, dir: filepath.Join(t.TempDir(), "tree")}
	if err := os.Mkdir(l.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		l.write(name, "first")
	}
	t.Cleanup(Tree(l.dir, 10*time.Millisecond, time.Second, log, func(names []string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.names = append(l.names, names...)
	}))
	return l
}

func (l *treeLog) write(name, text string) {
	l.Helper()
	path := filepath.Join(l.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		l.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		l.Fatal(err)
	}
}

func (l *treeLog) do(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *treeLog) path(name string) string { return filepath.Join(l.dir, filepath.FromSlash(name)) }

// wait waits until a name has been told, forgets all that was and returns it.
func (l *treeLog) wait(name string) []string {
	l.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		names := l.names
		if slices.Contains(names, name) {
			l.names = nil
			l.mu.Unlock()
			return names
		}
		l.mu.Unlock()
		if time.Now().After(deadline) {
			l.Fatalf("%s is not told of, but %q", name, names)
		}
	}
}

// sees changes a file until that is told of: a directory that is new is
// watched a moment later.
func (l *treeLog) sees(name string) {
	l.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		l.write(name, time.Now().String())
		l.mu.Lock()
		seen := slices.Contains(l.names, name)
		l.mu.Unlock()
		if seen {
			return
		}
	}
	l.Errorf("changes of %s are not told of", name)
}
