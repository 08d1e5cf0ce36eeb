// Package cmd is the command line of wsbridge: flags, help, errors, logs, the drain
// and exit statuses. Package bridge says what a connection
// is and how it ends.
//
// Where output goes: what was asked for (the help, the version, the messages
// that connect receives) goes to standard output; where the server listens,
// the log and errors go to standard error. An error is printed once, by
// report, as "wsbridge: what", followed by a hint where there is one to give.
package cmd

//go:generate go test -run "TestManPage|TestGrowthPlot" -update

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// version is set by the linker in releases:
// -X github.com/wsbridge/wsbridge/cmd.version=1.2.3
var version string

//go:embed license.txt
var license string

// streams are the standard streams of a run, in tests replaced by buffers.
type streams struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// Main runs the command line and returns the exit status: 0 done, 1 failure,
// 2 usage. That of connect follows the server's close code.
func Main(args []string) int {
	return run(context.Background(), args, streams{os.Stdin, os.Stdout, os.Stderr})
}

func run(ctx context.Context, args []string, std streams) int {
	return std.report(execute(ctx, newRootCmd(std, runServe, runConnect), args))
}

// execute runs root with args, whose flags may be written with a single dash.
func execute(ctx context.Context, root *cobra.Command, args []string) error {
	root.SetArgs(doubleDashes(root.Flags(), args))
	return root.ExecuteContext(ctx)
}

// newRootCmd is the whole command line; what its commands do is passed in.
func newRootCmd(
	std streams,
	serve func(context.Context, *serveOptions) error,
	connect func(context.Context, *connectOptions) error,
) *cobra.Command {
	root := newServeCmd(std, serve)
	root.AddCommand(newConnectCmd(std, connect))
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Use = "completion SHELL"
			c.Short = "print the completion script for bash, fish, powershell or zsh"
		}
	}
	root.SetIn(std.stdin)
	root.SetOut(std.stdout)
	root.SetErr(std.stderr)
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetFlagErrorFunc(flagError)
	return root
}

// usage is a mistake in how cmd was called; it points to the help.
func usage(cmd *cobra.Command, err error) *hint.Error {
	return &hint.Error{Err: err, Hint: fmt.Sprintf("see '%s --help'", cmd.CommandPath()), Usage: true}
}

// An exitStatus ends the program when all there was to say has been said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// report prints err and returns the exit status it stands for.
func (std streams) report(err error) int {
	if err == nil {
		return 0
	}
	if s, ok := errors.AsType[exitStatus](err); ok {
		return int(s)
	}
	fmt.Fprintf(std.stderr, "wsbridge: %v\n", err)
	if hint := hintOf(err); hint != "" {
		fmt.Fprintln(std.stderr, hint)
	}
	if h, ok := errors.AsType[*hint.Error](err); ok && h.Usage {
		return 2
	}
	return 1
}

// versionName is the version alone: the linker's, or that of the module that
// go install built.
func versionName() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

func versionLine() string {
	return fmt.Sprintf("wsbridge %s (%s/%s, %s)", versionName(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}
