package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/bridge"
)

// connectOptions is what the command line says of a connection to a server.
type connectOptions struct {
	streams
	url          string
	command      []string
	linger       time.Duration
	headers      []headerField
	subprotocols []string
	compress     bool
	origin       string
	binary       bool
	insecure     bool
}

// newConnectCmd is the client, which calls run.
func newConnectCmd(std streams, run func(context.Context, *connectOptions) error) *cobra.Command {
	o := &connectOptions{streams: std}
	cmd := &cobra.Command{
		Use:                   "connect [flags] URL [-- COMMAND [ARG...]]",
		Short:                 "talk to a WebSocket server from a terminal or a script",
		Long:                  connectLong,
		Example:               connectExample,
		Args:                  cobra.ArbitraryArgs,
		DisableFlagsInUseLine: true,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeCommand(cmd, args[1:], toComplete)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				args, o.command = args[:dash], args[dash:]
				if len(o.command) == 0 {
					return usage(cmd, errors.New("no command after --"))
				}
			}
			switch len(args) {
			case 0:
				return usage(cmd, errors.New("no URL to connect to"))
			case 1:
			default:
				return &usageError{
					fmt.Errorf("one URL is all that connect takes, not also %q", args[1]),
					"a command to attach stands after --",
				}
			}
			if o.linger < 0 {
				return usage(cmd, flagProblem("linger", o.linger, errors.New("must not be negative")))
			}
			o.url = args[0]
			if err := checkURL(o.url); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.linger, "linger", time.Second, "after the end of the input, close when nothing has come for `time`")
	flags.Var(newList(&o.headers, parseHeader), "header", "send `'Name: value'` with the handshake; may be repeated")
	flags.Var(newList(&o.subprotocols, commaSeparated(parseSubprotocol)), "subprotocol", "offer these subprotocols (`NAMES`, comma separated), the preferred one first")
	flags.BoolVar(&o.compress, "compress", false, "offer to compress messages (permessage-deflate)")
	flags.StringVar(&o.origin, "origin", "", "send this `origin`, as a browser does: https://example.com")
	flags.BoolVar(&o.binary, "binary", false, "send and print bytes as they come, in binary messages")
	flags.BoolVar(&o.insecure, "insecure", false, "do not verify the certificate of a wss server")
	flags.BoolP("help", "h", false, "print this help")
	flags.SortFlags = false
	completeFlags(cmd)
	return cmd
}

func parseSubprotocol(s string) (string, error) {
	if !isToken(s) {
		return "", fmt.Errorf("%q is not the name of a subprotocol", s)
	}
	return s, nil
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err == nil && slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme) {
		if u.Host != "" {
			return nil
		}
		err = errors.New("it names no host")
	} else if !strings.Contains(s, "://") {
		// Of localhost:8080 the parser makes a scheme, of 127.0.0.1:8080 an
		// error; what they lack is a scheme.
		return &usageError{fmt.Errorf("cannot connect to %q: it has no scheme", s), "did you mean ws://" + s + "?"}
	} else if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	} else if err == nil {
		err = fmt.Errorf("%s is not a scheme of WebSockets", u.Scheme)
	}
	return &usageError{fmt.Errorf("cannot connect to %q: %w", s, err), "write something like ws://127.0.0.1:8080/"}
}

// maxReceived keeps a server from filling our memory.
const maxReceived = 64 << 20

// client is the bridge that the options describe.
func (o *connectOptions) client() *bridge.Client {
	c := &bridge.Client{
		Stdin:        o.stdin,
		Stdout:       o.stdout,
		Linger:       o.linger,
		Header:       http.Header{},
		Subprotocols: o.subprotocols,
		Compress:     o.compress,
		// A program's line may be of any length, and so may be what a
		// server makes of it.
		MaxMessageSize: maxReceived,
		Logger:         newLogger(o.stderr, "info", "text"),
	}
	for _, f := range o.headers {
		c.Header.Add(f.name, f.value)
	}
	if o.origin != "" {
		c.Header.Set("Origin", o.origin)
	}
	if o.binary {
		c.Framing = bridge.Chunks
	}
	if o.insecure {
		c.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	return c
}

// runConnect returns when the connection is over; its error carries the exit
// status that the server's close code tells of.
func runConnect(ctx context.Context, o *connectOptions) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := o.client()
	if len(o.command) > 0 {
		command, err := lookCommand(o.command)
		if err != nil {
			return err
		}
		c.Command = command
	}
	end, err := c.Run(ctx, o.url)
	switch {
	case ctx.Err() != nil:
		return nil // we were asked to end, and did
	case err != nil:
		return connectError(o.url, err)
	}
	status := end.ExitStatus()
	if status == 0 {
		return nil
	}
	if end.Code <= 4000 || end.Code > 4255 {
		return errors.New(closeText(end))
	}
	return exitStatus(status)
}

func closeText(end bridge.Close) string {
	var text string
	switch end.Code {
	case 1006:
		return "the connection was lost without a close frame (1006)"
	case 1002, 1007, 1009: // either side may have found fault with the other
		text = fmt.Sprintf("the connection was closed with %d", end.Code)
	default:
		text = fmt.Sprintf("closed by the server with %d", end.Code)
	}
	if end.Reason != "" {
		text += ": " + printable(end.Reason)
	}
	return text
}

// printable keeps what a server says from steering the terminal.
func printable(s string) string {
	if quoted := strconv.Quote(s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}

// connectError says why there is no connection, without the layers that the
// error has come through, and what to do about it.
func connectError(url string, err error) error {
	wrap := func(cause error) error { return fmt.Errorf("cannot connect to %s: %w", url, cause) }
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &hintedError{wrap(e.Err), "to connect all the same, use --insecure"}
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return &hintedError{wrap(errors.New("the server does not speak TLS")), "does it want ws:// instead of wss://?"}
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return wrap(errors.New(e.Err))
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		if errors.Is(e.Err, syscall.ECONNREFUSED) {
			return &hintedError{wrap(e.Err), "is the server running, and on this port?"}
		}
		return wrap(e.Err)
	}
	return err
}
