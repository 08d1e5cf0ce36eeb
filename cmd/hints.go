package cmd

import (
	"errors"
	"os"
	"syscall"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
	"github.com/wsbridge/wsbridge/cmd/internal/listen"
	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// hintOf is what to try after err, empty if that is not known. The packages below
// this one know no flags: where these help, the hint is given here.
func hintOf(err error) string {
	if h, ok := errors.AsType[*hint.Error](err); ok {
		return h.Hint
	}
	if e, ok := errors.AsType[*listen.NoCertificateError](err); ok && e.HasKey {
		return "there is a private key in it: did you mean --sslkey?"
	}
	switch {
	case errors.Is(err, listen.ErrLive):
		return "stop it, or choose another --unixsocket"
	case errors.Is(err, listen.ErrNotSocket):
		return "choose another --unixsocket, or remove the file yourself"
	case errors.Is(err, site.ErrBelowPrograms):
		return "use separate directories, or put --cgidir below --staticdir"
	}
	return ""
}

// portHint adds a hint to an error of listen.TCP at the port that a flag gives.
func portHint(flag string, err error) error {
	switch {
	case listen.IsErrno(err, syscall.EADDRINUSE):
		other := "another program listens there; choose another --" + flag
		if flag == "port" {
			other += ", or --port=0 for a free one"
		}
		return hint.Add(err, other)
	case errors.Is(err, os.ErrPermission):
		return hint.Add(err, "ports below 1024 need special rights; choose a higher --"+flag)
	case listen.IsErrno(err, syscall.EADDRNOTAVAIL):
		return hint.Add(err, "--address must be an address of this machine")
	}
	return err
}
