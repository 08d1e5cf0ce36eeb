package cmd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// listenOptions say where the server listens.
type listenOptions struct {
	addresses []string
	port      int
}

func (o *listenOptions) flags() flagGroup {
	g := newGroup("Where it listens")
	g.IntVar(&o.port, "port", 8080, "TCP `port`; 0 picks a free one and says which")
	g.Var(newList(&o.addresses, parseAddress, "127.0.0.1"), "address", "`address` to listen on, IPv6 with or without brackets; may be repeated")
	return g
}

func (o *listenOptions) check() error {
	switch {
	case o.port < 0 || o.port > 65535:
		return flagProblem("port", o.port, errors.New("must be between 0 and 65535"))
	case len(o.addresses) == 0:
		return errors.New("--address: none given")
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

// listen opens a listener for each address, all on the same port. Port 0 takes
// a free one.
func listen(addresses []string, port int) ([]net.Listener, error) {
	return listenFor("port", addresses, port)
}

// listenFor is listen for the port that a flag gives.
func listenFor(flag string, addresses []string, port int) ([]net.Listener, error) {
	// What is free on one address may be taken on another; then the next
	// free one is tried.
	for attempt := 0; ; attempt++ {
		listeners, err := listenAll(flag, addresses, port)
		if err == nil {
			return listeners, nil
		}
		if port != 0 || attempt == 10 || !isAddrInUse(err) {
			return nil, err
		}
	}
}

func listenAll(flag string, addresses []string, port int) (listeners []net.Listener, err error) {
	defer func() {
		if err != nil {
			closeAll(listeners)
			listeners = nil
		}
	}()
	for _, address := range addresses {
		hostPort := net.JoinHostPort(address, strconv.Itoa(port))
		ln, err := net.Listen("tcp", hostPort)
		if err != nil {
			return listeners, listenError(flag, hostPort, err)
		}
		listeners = append(listeners, ln)
		port = ln.Addr().(*net.TCPAddr).Port
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, ln := range listeners {
		ln.Close()
	}
}

// listenError says what failed without the names of system calls, and what to
// do about it.
func listenError(flag, hostPort string, err error) error {
	cause := err
	if e, ok := errors.AsType[*net.OpError](err); ok {
		cause = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		cause = e.Err
	}
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
	case errors.Is(cause, syscall.EADDRNOTAVAIL):
		return &hintedError{err, "--address must be an address of this machine"}
	}
	return err
}

func isAddrInUse(err error) bool {
	// On Windows syscall.EADDRINUSE is an invented number; this is the real one.
	const wsaEADDRINUSE = syscall.Errno(10048)
	return errors.Is(err, syscall.EADDRINUSE) || runtime.GOOS == "windows" && errors.Is(err, wsaEADDRINUSE)
}

// listenURL is the address of ln as a client would write it.
func listenURL(scheme string, ln net.Listener) string {
	return (&url.URL{Scheme: scheme, Host: ln.Addr().String(), Path: "/"}).String()
}

func isLoopback(ln net.Listener) bool {
	addr, ok := ln.Addr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}
