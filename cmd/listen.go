package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
	"github.com/wsbridge/wsbridge/cmd/internal/listen"
)

// listenOptions say where the server listens.
type listenOptions struct {
	addresses  []string
	port       int
	sockets    []string // paths
	socketMode fs.FileMode

	given func(flag string) bool // whether the command line has it
}

func (o *listenOptions) flags() flagGroup {
	g := newGroup("Where it listens")
	g.IntVar(&o.port, "port", 8080, "TCP `port`; 0 picks a free one and prints it")
	g.Var(newList(&o.addresses, parseAddress, "127.0.0.1"), "address",
		"`address` to listen on, IPv6 with or without brackets; a name stands for all its addresses; may be repeated")
	g.Var(newList(&o.sockets, parseSocketPath), "unixsocket",
		"listen on a unix socket at `path`, and on TCP only if --port or --address is given too; may be repeated")
	o.socketMode = 0o755
	g.Var((*octalValue)(&o.socketMode), "unixsocketmode",
		"octal `mode` of the unix socket; connecting needs write permission, so 0755 lets in only its owner, 0775 the group too")
	must(cobra.MarkFlagFilename(g.FlagSet, "unixsocket"))
	o.given = g.Changed
	return g
}

func (o *listenOptions) check() error {
	switch {
	case o.port < 0 || o.port > 65535:
		return flagProblem("port", o.port, errors.New("must be between 0 and 65535"))
	case len(o.addresses) == 0:
		return errors.New("--address is empty")
	case o.given("unixsocketmode") && len(o.sockets) == 0:
		return errors.New("--unixsocketmode needs --unixsocket")
	case o.given("unixsocketmode") && runtime.GOOS == "windows":
		return errors.New("--unixsocketmode does nothing on Windows, where a socket has the permissions of its directory")
	}
	return nil
}

// onTCP reports whether the server listens on TCP. A unix socket takes its
// place unless it is asked for.
func (o *listenOptions) onTCP() bool {
	return len(o.sockets) == 0 || o.given("port") || o.given("address")
}

// listen opens all that the options name, or nothing: TCP comes first. What
// systemd has opened already takes the place of that.
func (o *serverOptions) listen(ctx context.Context) (listeners, redirecting []net.Listener, err error) {
	listeners, err = listen.Systemd()
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			listen.CloseAll(listeners)
			listen.CloseAll(redirecting)
			listeners, redirecting = nil, nil
		}
	}()
	if len(listeners) > 0 {
		return listeners, nil, o.leaveToSystemd()
	}
	if o.onTCP() {
		if listeners, err = listen.TCP(ctx, o.addresses, o.port); err != nil {
			return listeners, nil, portHint("port", err)
		}
	}
	if o.redirPort != 0 {
		if redirecting, err = listen.TCP(ctx, o.addresses, o.redirPort); err != nil {
			return listeners, nil, portHint("redirport", err)
		}
	}
	for _, path := range o.sockets {
		ln, err := listen.Unix(path, o.socketMode)
		if err != nil {
			return listeners, redirecting, err
		}
		listeners = append(listeners, ln)
	}
	return listeners, redirecting, nil
}

// leaveToSystemd is the error for flags that say where to listen, when systemd
// has said so. To listen elsewhere than either says could open a door.
func (o *serverOptions) leaveToSystemd() error {
	for _, flag := range []string{"port", "address", "unixsocket", "unixsocketmode", "redirport"} {
		if o.given(flag) || flag == "redirport" && o.redirPort != 0 {
			return hint.Usage(
				fmt.Errorf("--%s cannot be used when systemd opens the sockets", flag),
				"remove the flag from the service, or disable the socket unit",
			)
		}
	}
	return nil
}

// parseAddress reads a value of --address: a name or an IP address, IPv6 with
// or without brackets, without a port.
func parseAddress(s string) ([]string, error) {
	host := s
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			host = inner
		}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{host}, nil
	}
	if _, port, err := net.SplitHostPort(s); err == nil {
		if _, err := strconv.Atoi(port); err == nil {
			return nil, fmt.Errorf("give the port with --port=%s", port)
		}
	}
	if host == "" || strings.ContainsAny(host, ":/[] \t") {
		return nil, errors.New("neither an IP address nor a name")
	}
	return []string{host}, nil
}

// parseSocketPath reads a value of --unixsocket.
func parseSocketPath(path string) ([]string, error) {
	// One byte is the NUL at the end.
	const longest = len(syscall.RawSockaddrUnix{}.Path) - 1
	switch {
	case path == "":
		return nil, errors.New("must be the path of a file")
	case strings.ContainsRune(path, 0):
		return nil, errors.New("must not contain a NUL")
	case path[0] == '@':
		// To package net this is a name in Linux's abstract namespace,
		// which has no mode: everybody could connect.
		return nil, fmt.Errorf("abstract sockets are not supported; a file of this name is ./%s", path)
	case len(path) > longest:
		return nil, fmt.Errorf("is %d bytes long; the path of a socket may have at most %d (a relative path counts as it is written)", len(path), longest)
	}
	return []string{path}, nil
}

// An octalValue is a flag that takes the permissions of a file.
type octalValue fs.FileMode

func (v *octalValue) Set(s string) error {
	mode, err := strconv.ParseUint(s, 8, 32)
	if err != nil || mode > uint64(fs.ModePerm) {
		return errors.New("must be an octal number up to 0777")
	}
	*v = octalValue(mode)
	return nil
}

func (v *octalValue) String() string { return fmt.Sprintf("%04o", uint32(*v)) }
func (v *octalValue) Type() string   { return "octal" }
