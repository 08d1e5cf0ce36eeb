package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
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
	g.IntVar(&o.port, "port", 8080, "TCP `port`; 0 picks a free one and says which")
	g.Var(newList(&o.addresses, parseAddress, "127.0.0.1"), "address",
		"`address` to listen on, IPv6 with or without brackets; a name stands for all its addresses; may be repeated")
	g.Var(newList(&o.sockets, parseSocketPath), "unixsocket",
		"listen on a unix socket at `path`, and on TCP only if --port or --address is given too; may be repeated")
	o.socketMode = 0o755
	g.Var((*octalValue)(&o.socketMode), "unixsocketmode",
		"octal `mode` of the unix socket: connecting takes the right to write, so that 0755 lets in its owner only, 0775 the group too")
	must(cobra.MarkFlagFilename(g.FlagSet, "unixsocket"))
	o.given = g.Changed
	return g
}

func (o *listenOptions) check() error {
	switch {
	case o.port < 0 || o.port > 65535:
		return flagProblem("port", o.port, errors.New("must be between 0 and 65535"))
	case len(o.addresses) == 0:
		return errors.New("--address: none given")
	case o.given("unixsocketmode") && len(o.sockets) == 0:
		return errors.New("--unixsocketmode: there is no --unixsocket")
	case o.given("unixsocketmode") && runtime.GOOS == "windows":
		return errors.New("--unixsocketmode: on Windows a socket has the rights of its directory")
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
func (o *serveOptions) listen(ctx context.Context) (listeners, redirecting []net.Listener, err error) {
	listeners, err = systemdListeners()
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			closeAll(listeners)
			closeAll(redirecting)
			listeners, redirecting = nil, nil
		}
	}()
	if len(listeners) > 0 {
		return listeners, nil, o.leaveToSystemd()
	}
	if o.onTCP() {
		if listeners, err = listenTCP(ctx, "port", o.addresses, o.port); err != nil {
			return listeners, nil, err
		}
	}
	if o.redirPort != 0 {
		if redirecting, err = listenTCP(ctx, "redirport", o.addresses, o.redirPort); err != nil {
			return listeners, nil, err
		}
	}
	for _, path := range o.sockets {
		ln, err := listenUnix(path, o.socketMode)
		if err != nil {
			return listeners, redirecting, err
		}
		listeners = append(listeners, ln)
	}
	return listeners, redirecting, nil
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

func closeAll(listeners []net.Listener) {
	for _, ln := range listeners {
		ln.Close()
	}
}

// listenError says what failed without the names of system calls, and what to
// do about it.
func listenError(flag, hostPort string, err error) error {
	cause := causeOf(err)
	err = fmt.Errorf("cannot listen on %s: %w", hostPort, cause)
	switch {
	case isAddrInUse(cause):
		hint := "another program listens there; choose another --" + flag
		if flag == "port" {
			hint += ", or --port=0 for a free one"
		}
		return &hintedError{err, hint}
	case errors.Is(cause, os.ErrPermission):
		return &hintedError{err, "ports below 1024 take special rights; choose a higher --" + flag}
	case isErrno(cause, syscall.EADDRNOTAVAIL):
		return &hintedError{err, "--address must be an address of this machine"}
	}
	return err
}

// causeOf is err without what package net puts around it.
func causeOf(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	return err
}

func isAddrInUse(err error) bool { return isErrno(err, syscall.EADDRINUSE) }

// winsock has the numbers that Windows gives to errors of sockets; those in
// package syscall are invented there.
var winsock = map[syscall.Errno]syscall.Errno{
	syscall.EAFNOSUPPORT:  10047,
	syscall.EADDRINUSE:    10048,
	syscall.EADDRNOTAVAIL: 10049,
	syscall.ECONNREFUSED:  10061,
}

// isErrno reports whether err is an error of sockets, by whatever number.
func isErrno(err error, errno syscall.Errno) bool {
	return errors.Is(err, errno) || runtime.GOOS == "windows" && errors.Is(err, winsock[errno])
}

// listenURL is the address of ln as a client would write it; for a unix
// socket, as the configurations of proxies have it.
func listenURL(scheme string, ln net.Listener) string {
	if ln.Addr().Network() == "unix" {
		return "unix:" + ln.Addr().String()
	}
	return (&url.URL{Scheme: scheme, Host: ln.Addr().String(), Path: "/"}).String()
}

// isLocal reports whether only this machine can connect to ln.
func isLocal(ln net.Listener) bool {
	addr, ok := ln.Addr().(*net.TCPAddr)
	return !ok || addr.IP.IsLoopback()
}
