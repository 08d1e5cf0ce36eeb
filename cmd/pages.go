package cmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/cmd/internal/site/livereload"
)

// pageOptions say what plain requests get.
type pageOptions struct {
	staticDir  string
	spa        bool
	liveReload string
	cgiDir     string
	devConsole bool
}

func (o *pageOptions) flags() flagGroup {
	g := newGroup("Pages beside the socket")
	g.StringVar(&o.staticDir, "staticdir", "", "serve the files below `dir` to plain HTTP requests")
	g.BoolVar(&o.spa, "spa", false, "serve the index.html of --staticdir at paths that name no file and have no extension")
	g.Var(newChoice(&o.liveReload, "", reloadInjected, reloadByScript), "livereload",
		"reload pages when files below --staticdir change, with a script that is added to them (inject) or that they load themselves (script), "+
			"from "+livereload.Script+"; close connections with 1012 when the program changes")
	g.Lookup("livereload").NoOptDefVal = reloadInjected
	g.StringVar(&o.cgiDir, "cgidir", "", "run the CGI programs below `dir` for plain HTTP requests; no file there is served as a file")
	must(cobra.MarkFlagDirname(g.FlagSet, "staticdir"))
	must(cobra.MarkFlagDirname(g.FlagSet, "cgidir"))
	g.BoolVar(&o.devConsole, "devconsole", false, "serve a page to try the command by hand, at every otherwise unused path")
	return g
}

// How pages get the script of --livereload.
const (
	reloadInjected = "inject"
	reloadByScript = "script"
)

func (o *pageOptions) check() error {
	if o.spa && o.staticDir == "" {
		return errors.New("--spa needs --staticdir, whose index.html it serves")
	}
	return nil
}

// some reports whether plain requests get anything that needs no command.
func (o *pageOptions) some() bool { return o.staticDir != "" || o.cgiDir != "" }
