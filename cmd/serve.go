package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// serveOptions are what the command line says: of the site that is served, and
// of the server that serves it.
type serveOptions struct {
	streams
	siteOptions
	serverOptions
}

// serverOptions are of the server as a whole: where it listens and how, what it
// logs and when it ends.
type serverOptions struct {
	listenOptions
	tlsOptions
	logOptions
	once bool

	misplaced misplaced

	// Of no flag.
	timeouts timeouts
	observer observer
}

// newServeCmd is the root command, which serves a program by calling run.
func newServeCmd(std streams, run func(context.Context, *serveOptions) error) *cobra.Command {
	o := &serveOptions{streams: std}
	var showVersion, showLicense bool
	cmd := &cobra.Command{
		Use:                   "wsbridge [flags] COMMAND [ARG...]",
		Short:                 "turn any program that reads lines and writes lines into a WebSocket server",
		Long:                  serveLong,
		Example:               serveExample,
		Args:                  cobra.ArbitraryArgs,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeCommand,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case showVersion:
				fmt.Fprintln(std.stdout, versionLine())
				return nil
			case showLicense:
				fmt.Fprint(std.stdout, license)
				return nil
			case len(args) > 0 && o.commandDir != "":
				return usage(cmd, fmt.Errorf("--dir=%s takes the place of a command; unexpected argument %q", o.commandDir, args[0]))
			case len(args) == 0 && o.commandDir == "" && !o.pageOptions.some():
				return usage(cmd, errors.New("no command to run"))
			}
			if o.ssl && !cmd.Flags().Changed("port") {
				o.port = defaultTLSPort
			}
			if o.pty {
				o.preferForTerminal()
			}
			o.command = args
			if err := o.check(); err != nil {
				return usage(cmd, err)
			}
			o.misplaced = findMisplaced(cmd.Flags(), args)
			return run(cmd.Context(), o)
		},
	}

	groups := o.groups(&showVersion, &showLicense)
	for _, g := range groups {
		cmd.Flags().AddFlagSet(g.FlagSet)
	}
	cmd.Flags().SortFlags = false
	// Flags end where the command begins: the rest is the command's own.
	cmd.Flags().SetInterspersed(false)
	setHelp(cmd, groups)

	completeFlags(cmd)
	return cmd
}

// groups are the flags under the headings of the help.
func (o *serveOptions) groups(showVersion, showLicense *bool) []flagGroup {
	other := newGroup("Other")
	other.BoolVar(showVersion, "version", false, "print the version")
	other.BoolVar(showLicense, "license", false, "print the licence")
	other.BoolP("help", "h", false, "print this help")

	sessions := o.sessionOptions.flags()
	sessions.BoolVar(&o.once, "once", false, "serve one connection, and exit with the status of its command")

	return []flagGroup{
		o.listenOptions.flags(),
		o.tlsOptions.flags(),
		o.pageOptions.flags(),
		o.messageOptions.flags(),
		sessions,
		o.hostingOptions.flags(),
		o.accessOptions.flags(),
		o.logOptions.flags(),
		other,
	}
}

// check finds the values that no single flag's own parser could refuse.
func (o *serveOptions) check() error {
	switch {
	case o.redirPort != 0 && o.redirPort == o.port:
		return flagProblem("redirport", o.redirPort, errors.New("must differ from --port"))
	case o.redirPort != 0 && !o.onTCP():
		return errors.New("--redirport needs --port or --address beside --unixsocket")
	case o.once && o.share != "":
		return errors.New("--once cannot be combined with --share, which serves many connections")
	case o.liveReload != "" && o.staticDir == "" && !o.hasSocket():
		return errors.New("--livereload needs --staticdir, --dir or a command, whose files may change")
	}
	return cmp.Or(o.listenOptions.check(), o.tlsOptions.check(), o.siteOptions.check())
}
