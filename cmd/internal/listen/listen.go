// Package listen opens the sockets of a server: TCP, unix and those of systemd,
// with TLS certificates, and an HTTP server that strangers cannot hold up.
//
// Its errors name no flags; a caller that has flags adds hints that do.
package listen

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"
	"syscall"
)

// CloseAll closes listeners.
func CloseAll(listeners []net.Listener) {
	for _, ln := range listeners {
		ln.Close()
	}
}

// failed says what failed without the names of system calls.
func failed(where string, err error) error {
	return fmt.Errorf("cannot listen on %s: %w", where, causeOf(err))
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

// winsock has the numbers that Windows gives to errors of sockets. Those in
// package syscall are Go's own invention there.
var winsock = map[syscall.Errno]syscall.Errno{
	syscall.EAFNOSUPPORT:  10047,
	syscall.EADDRINUSE:    10048,
	syscall.EADDRNOTAVAIL: 10049,
	syscall.ECONNREFUSED:  10061,
}

// IsErrno reports whether err is that error of sockets, by whatever number.
func IsErrno(err error, errno syscall.Errno) bool {
	return errors.Is(err, errno) || runtime.GOOS == "windows" && errors.Is(err, winsock[errno])
}

// URL is the address of ln as a client would write it; for a unix socket, as the
// configurations of proxies have it.
func URL(scheme string, ln net.Listener) string {
	if ln.Addr().Network() == "unix" {
		return "unix:" + ln.Addr().String()
	}
	return (&url.URL{Scheme: scheme, Host: ln.Addr().String(), Path: "/"}).String()
}

// IsLocal reports whether only this machine can connect to ln.
func IsLocal(ln net.Listener) bool {
	addr, ok := ln.Addr().(*net.TCPAddr)
	return !ok || addr.IP.IsLoopback()
}
