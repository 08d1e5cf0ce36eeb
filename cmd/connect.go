package cmd

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	neturl "net/url"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/hint"
	"github.com/wsbridge/wsbridge/cmd/internal/listen"
	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// connectOptions is what the command line says of a connection to a server.
type connectOptions struct {
	streams
	url     string
	command []string
	lingerOptions
	headers      []site.Field
	subprotocols []string
	compress     bool
	origin       string
	framingOptions
	maxFrameSize int
	clientTLS
	printOptions
	againOptions
	ptyOptions
}

// clientTLS says how connect and a wss server verify each other.
type clientTLS struct {
	insecure bool
	sslCA    string
	sslCert  string
	sslKey   string
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
				return hint.Usage(
					fmt.Errorf("connect takes one URL; unexpected argument %q", args[1]),
					"write a command to attach after --",
				)
			}
			if err := o.check(); err != nil {
				return usage(cmd, err)
			}
			o.url = strings.TrimSpace(args[0])
			if err := checkURL(o.url); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := o.flags()
	cmd.Flags().AddFlagSet(flags.FlagSet)
	cmd.Flags().SortFlags = false
	setHelp(cmd, []flagGroup{flags})
	completeFlags(cmd)
	return cmd
}

func (o *connectOptions) flags() flagGroup {
	flags := newGroup("Flags")
	o.lingerOptions.add(flags)
	o.againOptions.add(flags.FlagSet)
	o.printOptions.add(flags)
	o.ptyOptions.add(flags)
	flags.Var(newList(&o.headers, parseHandshakeHeader), "header", "send `'Name: value'` with the handshake, but not on to another server that it redirects to; may be repeated")
	flags.Var(newList(&o.subprotocols, commaSeparated(parseSubprotocol)), "subprotocol", "offer these subprotocols (`NAMES`, comma separated), the preferred one first")
	flags.BoolVar(&o.compress, "compress", false, "offer to compress messages (permessage-deflate)")
	flags.StringVar(&o.origin, "origin", "", "send this `origin`, as a browser does: https://example.com")
	o.framingOptions.add(flags, "send and print bytes as they come, in binary messages, as --framing=bytes does")
	flags.IntVar(&o.maxFrameSize, "maxframesize", 0,
		"close with 1009 when a message has more than `n` bytes; 0 is no limit: what comes is printed as it comes, but a COMMAND, json, lsp and channels get a message whole")
	flags.BoolVar(&o.insecure, "insecure", false, "do not verify the certificate of a wss server")
	flags.StringVar(&o.sslCA, "sslca", "", "verify it by the authorities in `file`, in PEM, and by no others")
	flags.StringVar(&o.sslCert, "sslcert", "", "show the server the client certificate in `file`, in PEM")
	flags.StringVar(&o.sslKey, "sslkey", "", "`file` with the private key of the client certificate, in PEM")
	for _, name := range []string{"sslca", "sslcert", "sslkey"} {
		must(cobra.MarkFlagFilename(flags.FlagSet, name))
	}
	flags.BoolP("help", "h", false, "print this help")
	return flags
}

func (o *connectOptions) check() error {
	switch {
	case o.framing == "channels" && len(o.command) > 0:
		return errors.New("--framing=channels cannot be combined with a COMMAND, which has one stream in each direction")
	case o.insecure && o.sslCA != "":
		return errors.New("--sslca cannot be combined with --insecure, which verifies nothing")
	}
	framing := o.framing
	if o.isBytes() {
		framing = "bytes"
	}
	return cmp.Or(o.lingerOptions.check(), o.framingOptions.check(), o.printOptions.check(framing, o.command), o.againOptions.check(), o.checkPty(), checkPair(o.sslCert, o.sslKey))
}

func parseSubprotocol(s string) (string, error) {
	if !isToken(s) {
		return "", fmt.Errorf("%q is not the name of a subprotocol", s)
	}
	return s, nil
}

func checkURL(s string) error {
	u, err := neturl.Parse(s)
	if err == nil && (u.Scheme == "ws+unix" || u.Scheme == "wss+unix") {
		if u.Host == "" && u.Path+u.Opaque != "" {
			return nil
		}
		return hint.Usage(fmt.Errorf("cannot connect to %q: the path of the socket is missing", s), "write "+u.Scheme+":///run/app.sock:/path, with three slashes")
	}
	if err == nil && slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme) {
		if u.Host != "" {
			return nil
		}
		err = errors.New("the host is missing")
	} else if !strings.Contains(s, "://") {
		// Of localhost:8080 the parser makes a scheme, of 127.0.0.1:8080 an
		// error; what they lack is a scheme.
		return hint.Usage(fmt.Errorf("cannot connect to %q: it has no scheme", shownURL(s)), "did you mean ws://"+s+"?")
	} else if e, ok := errors.AsType[*neturl.Error](err); ok {
		err = e.Err
	} else if err == nil {
		err = fmt.Errorf("%s is not a WebSocket scheme", u.Scheme)
	}
	return hint.Usage(fmt.Errorf("cannot connect to %q: %w", shownURL(s), err), "write something like ws://127.0.0.1:8080/")
}

// client is the bridge that the options describe.
func (o *connectOptions) client() (*bridge.Client, error) {
	c := &bridge.Client{
		Stdin:        o.stdin,
		Stdout:       o.printOptions.output(o.stdout),
		Header:       http.Header{},
		Subprotocols: o.subprotocols,
		Compress:     o.compress,

		MaxMessageSize: offIfZero(o.maxFrameSize),
		Logger:         newLogger(o.stderr, "info", "text"),
		Reconnect:      o.reconnects(),
	}
	if o.verbose {
		c.PingInterval = verbosePings
	}
	o.lingerOptions.apply(c)
	for _, f := range o.headers {
		c.Header.Add(f.Name, f.Value)
	}
	if o.origin != "" {
		c.Header.Set("Origin", o.origin)
	}
	c.Framing = o.framingOptions.value()
	if o.framing == "channels" {
		c.Framing = o.channels.framing(o.stderr, nil)
		if !o.lingerGiven() { // the end of the input reaches the program, which then ends
			c.Linger, c.AnswerTimeout = -1, 0
		}
	}
	c.TLS = &tls.Config{InsecureSkipVerify: o.insecure}
	if o.sslCA != "" {
		pool, err := listen.ReadAuthorities(o.sslCA)
		if err != nil {
			return nil, err
		}
		c.TLS.RootCAs = pool
	}
	if o.sslCert != "" {
		cert, err := listen.ReadCertificate(o.sslCert, o.sslKey)
		if err != nil {
			return nil, err
		}
		// Whatever authorities the server names, so that it is the one to refuse.
		c.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	return c, nil
}

// runConnect returns when the connection is over; its error carries the exit
// status that the server's close code stands for.
func runConnect(ctx context.Context, o *connectOptions) error {
	ctx, stop := signal.NotifyContext(ctx, stopSignals()...)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // a second signal ends the program at once
	c, err := o.client()
	if err != nil {
		return err
	}
	if len(o.command) > 0 {
		command, err := lookCommand(o.command, os.Environ())
		if err != nil {
			return err
		}
		c.Command = command
	}
	trace := o.trace()
	switch {
	case o.pty:
		restore, err := o.atTerminal(c, trace, stop)
		if err != nil {
			return err
		}
		defer restore()
	case o.isPrompting():
		defer o.atPrompt(c, stop)()
	}
	end, err := c.Run(bridge.WithTrace(ctx, trace), cmp.Or(o.dialURL, o.url))
	if o.verbose && err == nil {
		defer o.remark(endText(end))
	}
	switch {
	case ctx.Err() != nil:
		return nil // we were asked to end, and did
	case err != nil:
		return o.runError(err)
	}
	return o.verdict(end)
}

// verdict is the error that an ending of the connection stands for.
func (o *connectOptions) verdict(end bridge.Ending) error {
	if err, ok := o.channels.verdict(end); ok {
		return err
	}
	status := end.ExitStatus()
	if status == 0 {
		return nil
	}
	if text := resumedText(end); o.resume && text != "" {
		return errors.New(text)
	}
	if end.Code <= 4000 || end.Code > 4255 {
		err := errors.New(closeText(end))
		if isOverLimit(end, o.maxFrameSize) {
			return hint.Add(err, "--maxframesize allows more")
		}
		return err
	}
	return exitStatus(status)
}
