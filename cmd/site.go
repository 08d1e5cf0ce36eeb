package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/site"
	"github.com/wsbridge/wsbridge/cmd/internal/site/livereload"
	"github.com/wsbridge/wsbridge/cmd/internal/watch"
)

// siteOptions are what is served, to whom and how: all that a route of its own
// could have.
type siteOptions struct {
	command []string
	pageOptions
	messageOptions
	sessionOptions
	hostingOptions
	accessOptions
}

func (o *siteOptions) check() error {
	if o.takeOver && o.share != "" {
		return errors.New("--takeover cannot be combined with --share, whose program is for all clients")
	}
	return cmp.Or(o.pageOptions.check(), o.messageOptions.check(), o.sessionOptions.check(), o.hostingOptions.check())
}

// hasSocket reports whether there is something behind a WebSocket.
func (o *siteOptions) hasSocket() bool { return len(o.command) > 0 || o.commandDir != "" }

// hasPages reports whether plain requests get anything.
func (o *siteOptions) hasPages() bool { return o.pageOptions.some() || o.devConsole }

// An openSite is a site whose directories are open, and watched with --livereload.
type openSite struct {
	*siteOptions
	log    *slog.Logger
	bridge *bridge.Handler

	commands *os.Root             // of --dir, or nil
	programs *os.Root             // of --cgidir, or nil
	files    *site.Files          // of --staticdir, or nil
	live     *livereload.Reloader // nil if there are no pages to load again

	toClose []*os.Root
	stop    []func()    // the watches
	closed  atomic.Bool // close was called
}

// open opens what the options name. The Host of a request may be one of hosts, and
// beat is the time between two signs of life to pages that wait for --livereload.
func (o *siteOptions) open(hosts []string, beat time.Duration, log *slog.Logger) (*openSite, error) {
	var command []string
	var err error
	if len(o.command) > 0 {
		if command, err = lookCommand(o.command, passedEnv(o.passEnv)); err != nil {
			return nil, err
		}
	}
	s := &openSite{siteOptions: o, log: log}
	if err := s.openDirs(); err != nil {
		s.close()
		return nil, err
	}
	s.bridge = o.newBridge(command, s.commands, hosts, log)
	if o.liveReload != "" {
		s.watch(command, beat)
	}
	return s, nil
}

func (s *openSite) openDirs() (err error) {
	if s.commands, err = s.openDir("run the programs of", s.commandDir); err != nil {
		return err
	}
	if s.programs, err = s.openDir("run the CGI programs of", s.cgiDir); err != nil {
		return err
	}
	root, err := s.openDir("serve files of", s.staticDir)
	if root != nil {
		if s.files, err = site.NewFiles(root, s.programs); err == nil {
			s.files.Embed = len(s.origins) > 0
		}
	}
	return err
}

// openDir opens a directory, if there is one to open.
func (s *openSite) openDir(purpose, dir string) (*os.Root, error) {
	if dir == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("cannot %s %s: %w", purpose, dir, err)
	}
	s.toClose = append(s.toClose, root)
	return root, nil
}

// An editor or a build tool does several things to several files.
const (
	pageQuiet = 100 * time.Millisecond
	pageMost  = 2 * time.Second
)

// watch watches the files of pages and those of the programs.
func (s *openSite) watch(command []string, beat time.Duration) {
	if s.files != nil {
		s.live = livereload.New(s.liveReload == reloadInjected, beat, s.log)
		s.files.Send = s.live.Send
		s.stop = append(s.stop, watch.Tree(s.files.Dir(), pageQuiet, pageMost, s.log, func(names []string) {
			if slices.Contains(names, watch.WholeTree) {
				if err := s.files.Reopen(); err != nil {
					s.log.Warn("the directory cannot be served any more", "directory", s.files.Dir(), "error", err)
				}
			}
			s.live.Changed(names)
		}))
	}
	if s.commands != nil {
		s.stop = append(s.stop, restartPrograms(s.bridge, s.commands.Name(), s.log))
	} else if len(command) > 0 {
		s.stop = append(s.stop, restartCommand(s.bridge, command, s.log))
	}
}

// drain ends what would last as long as the server.
func (s *openSite) drain() {
	if s.live != nil {
		s.live.Close()
	}
}

// close closes the site, at its first call. It waits for watches that are about to
// write to the log.
func (s *openSite) close() {
	if s.closed.Swap(true) {
		return
	}
	s.drain()
	for _, stop := range s.stop {
		stop()
	}
	for _, root := range s.toClose {
		root.Close()
	}
}
