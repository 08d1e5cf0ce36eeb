package watch

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// patience is far more than anything takes here, also on a slow machine.
const patience = time.Minute

// begin runs f in a goroutine and returns a channel that is closed at its end.
func begin(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

func TestUnwatched(t *testing.T) {
	for name, want := range map[string]bool{
		".": false, "a": false, "a/b.css": false, "a.b/c": false, "a~b": false, "node_modules.txt": false,
		".git": true, ".git/config": true, "a/.swp/b": true, "a/.b.swp": true, "node_modules": true, "node_modules/a/b.js": true, "a/node_modules/b": true,
		"a.html~": true, "a/b~": true,
	} {
		if got := unwatched(filepath.FromSlash(name)); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The watcher never waits for who takes its events. Those for which there is no
// room are missed, and that is known.
func TestTreePasses(t *testing.T) {
	t.Parallel()
	watcher := &fsnotify.Watcher{Events: make(chan fsnotify.Event), Errors: make(chan error)}
	tr := newTree(t.TempDir(), slog.New(slog.DiscardHandler), watcher)
	done := begin(tr.pass)
	missed := func(want bool) {
		t.Helper()
		watcher.Errors <- errors.New("another") // what was sent before has been passed on
		select {
		case <-tr.missed:
			if !want {
				t.Error("missed, although there is room")
			}
		default:
			if want {
				t.Error("what was missed is not known")
			}
		}
	}
	for range maxEvents {
		watcher.Events <- fsnotify.Event{Name: "a", Op: fsnotify.Create}
	}
	missed(false)
	for range 3 {
		watcher.Events <- fsnotify.Event{Name: "a", Op: fsnotify.Create}
	}
	missed(true)
	watcher.Errors <- fsnotify.ErrEventOverflow
	missed(true)
	missed(false)
	close(watcher.Events)
	close(watcher.Errors)
	<-done
	if len(tr.events) != maxEvents {
		t.Errorf("%d events wait", len(tr.events))
	}
}

func TestTree(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(l *treeLog)
	}{
		{"write", func(l *treeLog) {
			l.write("a.html", "second")
			l.wait("a.html")
			l.write("sub/deep/b.css", "second")
			l.wait("sub/deep/b.css")
		}},
		{"remove", func(l *treeLog) {
			l.do(os.Remove(l.path("a.html")))
			l.wait("a.html")
		}},
		{"a temporary file that is renamed", func(l *treeLog) {
			l.write(".a.html.tmp", "second")
			l.do(os.Rename(l.path(".a.html.tmp"), l.path("a.html")))
			if names := l.wait("a.html"); slices.Contains(names, ".a.html.tmp") {
				l.Errorf("told of %q", names)
			}
			l.write("a.html", "third")
			l.wait("a.html")
		}},
		{"what tools keep", func(l *treeLog) {
			for _, name := range []string{".git/index", "sub/.c.swp", "a.html~", "node_modules/m/n.js", "sub/node_modules/n.js"} {
				l.write(name, "second")
			}
			l.write("a.html", "second")
			l.wait("a.html")
			l.write("node_modules/m/n.js", "third")
			l.write("a.html", "third")
			for _, name := range l.wait("a.html") {
				if name != "a.html" && name != "sub" { // Windows tells of directories
					l.Errorf("told of %s", name)
				}
			}
		}},
		{"new directories", func(l *treeLog) {
			l.write("new/deep/c.html", "first")
			l.wait("new")
			l.sees("new/deep/c.html")
			l.sees("new/d.html")
		}},
		{"a directory that is removed and made anew", func(l *treeLog) {
			for range 3 {
				l.do(os.RemoveAll(l.path("sub")))
				l.write("sub/deep/b.css", "second")
				l.wait("sub")
				l.sees("sub/deep/b.css")
			}
		}},
		{"a directory that takes the place of another", func(l *treeLog) {
			for range 3 {
				l.write("next/deep/b.css", "second")
				l.sees("next/deep/b.css")
				l.do(os.RemoveAll(l.path("sub")))
				l.do(os.Rename(l.path("next"), l.path("sub")))
				l.wait("sub")
				l.sees("sub/deep/b.css")
			}
		}},
		{"a directory that leaves", func(l *treeLog) {
			away := l.path("../away")
			l.do(os.Rename(l.path("sub"), away))
			l.wait("sub")
			l.sees("a.html")
			l.wait("a.html")
			l.do(os.WriteFile(filepath.Join(away, "deep", "b.css"), []byte("second"), 0o666))
			l.sees("a.html")
			if names := l.wait("a.html"); slices.Contains(names, "sub/deep/b.css") {
				l.Errorf("told of %q", names)
			}
		}},
		{"the directory itself is made anew", func(l *treeLog) {
			held, err := os.OpenRoot(l.dir) // as the server does
			l.do(err)
			defer held.Close()
			l.do(os.RemoveAll(l.dir))
			l.write("sub/b.css", "second")
			l.wait(WholeTree)
			l.sees("sub/b.css")
			l.do(os.Rename(l.dir, l.dir+".old"))
			l.write("sub/b.css", "third")
			l.wait(WholeTree)
			l.sees("sub/b.css")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && strings.Contains(test.name, "director") && test.name != "new directories" {
				t.Skip("a directory that is watched or open cannot be renamed")
			}
			test.run(watchedTree(t, slog.New(slog.DiscardHandler), "a.html", "sub/deep/b.css", "node_modules/m/n.js"))
		})
	}
}

// By a link, what it points to is watched, and what it points to next.
func TestTreeByLink(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege")
	}
	l := &treeLog{T: t, dir: filepath.Join(t.TempDir(), "current")}
	for _, release := range []string{"one", "two"} {
		l.write("../"+release+"/a.html", release)
	}
	l.do(os.Symlink("one", l.dir))
	t.Cleanup(Tree(l.dir, 10*time.Millisecond, time.Second, slog.New(slog.DiscardHandler), func(names []string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.names = append(l.names, names...)
	}))
	l.sees("a.html")
	l.do(os.Symlink("two", l.dir+".new"))
	l.do(os.Rename(l.dir+".new", l.dir))
	l.wait(WholeTree)
	l.sees("a.html")
}

func TestHint(t *testing.T) {
	if got := hintFor(os.ErrPermission); !strings.Contains(got, "can be read") {
		t.Error(got)
	}
	if got := hintFor(errors.Join(syscall.EMFILE)); !strings.Contains(got, "allows more") {
		t.Error(got)
	}
	if got := hintFor(syscall.ENOSPC); runtime.GOOS == "linux" && !strings.Contains(got, "max_user_watches") {
		t.Error(got)
	}
}
