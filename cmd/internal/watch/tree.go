// Package watch tells of files that change: all those below a directory, or the
// few that a command is made of.
package watch

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// WholeTree is reported as the name when it is not known which file has changed.
const WholeTree = "."

// comebackInterval is how often a tree checks whether its path leads to another
// directory now. There is no event for that when a directory further up is renamed,
// nor, on Linux, when the directory is removed while the server has it open
// (inotify(7), IN_DELETE_SELF).
const comebackInterval = 500 * time.Millisecond

// maxEvents is how many events wait while directories are added.
const maxEvents = 4096

// A tree watches a directory and all directories below it, also new ones. It ignores
// files that tools make for themselves: dot files, node_modules and the backups of
// editors. It does not follow symbolic links.
type tree struct {
	dir     string // as it was named
	log     *slog.Logger
	watcher *fsnotify.Watcher
	events  chan fsnotify.Event // of the watcher, before run takes them
	missed  chan struct{}       // there were more of them than it has room for
	changed chan string         // names with slashes, below the directory

	info fs.FileInfo // of the directory; owned by run

	mu     sync.Mutex
	top    string          // the directory without links
	dirs   map[string]bool // that are watched
	warned bool
}

// Tree calls changed with the names, with slashes, of the files that have changed
// below a directory. It waits until nothing has changed for the time of quiet, but no
// longer than most. If it cannot watch everything, it logs a warning. The function
// that it returns stops it.
func Tree(dir string, quiet, most time.Duration, log *slog.Logger, changed func(names []string)) (stop func()) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("changes will not be seen", "directory", dir, "error", err, "hint", hintFor(err))
		return func() {}
	}
	t := newTree(dir, log, watcher)
	var passing sync.WaitGroup
	passing.Go(t.pass)
	t.begin()
	log.Info("watching", "directory", dir, "directories", len(t.dirs))
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { t.run(done) })
	running.Go(func() {
		gather(t.changed, quiet, most, func(names []string) {
			// A directory that was renamed may be one that the watcher had
			// under another name, which it then forgets.
			for _, name := range names {
				t.add(filepath.Join(t.real(), filepath.FromSlash(name)))
			}
			changed(names)
		})
	})
	return func() {
		close(done)
		running.Wait() // first: on Windows, Add may not return from a watcher that is closed meanwhile
		watcher.Close()
		passing.Wait()
	}
}

func newTree(dir string, log *slog.Logger, watcher *fsnotify.Watcher) *tree {
	return &tree{
		dir: dir, log: log, watcher: watcher,
		events: make(chan fsnotify.Event, maxEvents), missed: make(chan struct{}, 1), changed: make(chan string),
	}
}

// pass moves the watcher's events to t.events until the watcher is closed, and never
// waits for run. On Windows the watcher adds directories in the goroutine that sends
// events: run, which adds directories, would deadlock if it took the events itself.
func (t *tree) pass() {
	for events, errs := t.watcher.Events, t.watcher.Errors; events != nil || errs != nil; {
		missed := false
		select {
		case event, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			select {
			case t.events <- event:
			default:
				missed = true
			}
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			if missed = errors.Is(err, fsnotify.ErrEventOverflow); !missed {
				t.log.Debug("watching", "directory", t.dir, "error", err)
			}
		}
		if missed {
			select {
			case t.missed <- struct{}{}:
			default: // run is going to look already
			}
		}
	}
}

// begin watches what is at the directory's name now.
func (t *tree) begin() {
	t.mu.Lock()
	for dir := range t.dirs {
		_ = t.watcher.Remove(dir)
	}
	t.dirs = make(map[string]bool)
	t.mu.Unlock()
	top, err := filepath.Abs(t.dir)
	if err == nil {
		top, err = filepath.EvalSymlinks(top)
	}
	if err == nil {
		t.info, err = os.Stat(top)
	}
	if err != nil {
		t.info = nil // it has gone, perhaps for a moment
		return
	}
	t.mu.Lock()
	t.top = top
	t.mu.Unlock()
	t.add(top)
}

func (t *tree) real() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.top
}

// run takes the watcher's events until done.
func (t *tree) run(done <-chan struct{}) {
	defer close(t.changed)
	comeback := time.NewTicker(comebackInterval)
	defer comeback.Stop()
	for {
		select {
		case event := <-t.events:
			t.see(event)
		case <-t.missed:
			t.add(t.real())
			t.changed <- WholeTree
		case <-comeback.C:
			info, err := os.Stat(t.dir)
			switch {
			case err != nil:
				t.info = nil
			case t.info == nil || !os.SameFile(info, t.info):
				t.begin()
				t.changed <- WholeTree
			}
		case <-done:
			return
		}
	}
}

// see handles an event of the watcher.
func (t *tree) see(event fsnotify.Event) {
	name, err := filepath.Rel(t.real(), event.Name)
	if err != nil || unwatched(name) || event.Op == fsnotify.Chmod {
		return
	}
	isDir := false
	if info, err := os.Lstat(event.Name); err == nil {
		isDir = info.IsDir()
	}
	if event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename) {
		t.forget(event.Name)
	}
	if isDir {
		if event.Op == fsnotify.Write {
			return // Windows reports that for each change in the directory
		}
		t.add(event.Name)
	}
	t.changed <- filepath.ToSlash(name)
}

// unwatched reports whether to ignore a name: because it or a directory in its path
// is a dot file or node_modules, or because it is a backup.
func unwatched(name string) bool {
	for element := range strings.SplitSeq(filepath.ToSlash(name), "/") {
		if element == "node_modules" || element != "." && strings.HasPrefix(element, ".") {
			return true
		}
	}
	return strings.HasSuffix(name, "~")
}

// add watches a directory and those below it. Adding one twice does no harm,
// nor does a name that is not a directory's. The log is written after unlocking: one
// that nobody reads must not keep the lock.
func (t *tree) add(dir string) {
	if path, err := t.addAll(dir); err != nil {
		t.log.Warn("not all changes will be seen", "directory", path, "error", err, "hint", hintFor(err))
	}
}

// addAll returns the first directory that cannot be watched, if there has been none
// before, and why.
func (t *tree) addAll(dir string) (failed string, reason error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			return nil
		}
		if err == nil && path != dir && unwatched(d.Name()) {
			return fs.SkipDir
		}
		if err == nil {
			err = t.watcher.Add(path)
		}
		switch {
		case err == nil:
			t.dirs[path] = true
			return nil
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fsnotify.ErrClosed):
			return nil // it has gone meanwhile
		case !t.warned:
			t.warned = true
			failed, reason = path, err
		}
		if errors.Is(err, fs.ErrPermission) {
			return nil
		}
		return fs.SkipAll
	})
	return failed, reason
}

// forget stops watching a directory that was removed or renamed, and those below it.
// If they still exist, their new place is not known.
func (t *tree) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.dirs[name] {
		return
	}
	for dir := range t.dirs {
		if dir == name || strings.HasPrefix(dir, name+string(filepath.Separator)) {
			_ = t.watcher.Remove(dir)
			delete(t.dirs, dir)
		}
	}
}

// hintFor says what to do when there is no room for another watch, which
// inotify(7) reports as if a disk were full or too many files were open.
func hintFor(err error) string {
	switch {
	case runtime.GOOS == "linux" && errors.Is(err, syscall.ENOSPC):
		return "the sysctl fs.inotify.max_user_watches allows more"
	case runtime.GOOS == "linux" && errors.Is(err, syscall.EMFILE):
		return "the sysctl fs.inotify.max_user_instances allows more"
	case errors.Is(err, syscall.EMFILE):
		return "ulimit -n allows more"
	}
	return "only directories that can be read are watched"
}
