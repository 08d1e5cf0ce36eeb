package cmd

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// systemdVariables are systemd's word to this very process (sd_listen_fds(3),
// sd_notify(3), sd_watchdog_enabled(3)). A program that got them could speak to
// systemd in our place.
var systemdVariables = []string{
	"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "LISTEN_PIDFDID",
	"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
}

func isSystemdVariable(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	return slices.Contains(systemdVariables, name)
}

// systemdListeners are the sockets with which systemd has started this
// process; none if it was started in another way. Children do not inherit them.
func systemdListeners() (listeners []net.Listener, err error) {
	for _, file := range activation.Files(true) {
		ln, problem := net.FileListener(file)
		switch {
		case problem != nil:
		case !isListening(file):
			problem = errors.New("it does not listen")
		case ln.Addr().Network() == "unixpacket": // which HTTP does not run over
			problem = errors.New("it is no stream socket")
		}
		if problem != nil && ln != nil {
			ln.Close()
		}
		file.Close()
		if problem != nil {
			err = &hintedError{
				fmt.Errorf("cannot listen on %s, which systemd has passed: %w", file.Name(), causeOf(problem)),
				"a socket unit for wsbridge has ListenStream= and not Accept=yes",
			}
			continue
		}
		listeners = append(listeners, ln)
	}
	if err != nil {
		closeAll(listeners)
		return nil, err
	}
	return listeners, nil
}

// leaveToSystemd is the error for flags that say where to listen, when systemd
// has said so. To listen elsewhere than either says could open a door.
func (o *serveOptions) leaveToSystemd() error {
	for _, flag := range []string{"port", "address", "unixsocket", "unixsocketmode", "redirport"} {
		if o.given(flag) || flag == "redirport" && o.redirPort != 0 {
			return &usageError{
				fmt.Errorf("--%s is not for a server whose sockets systemd opens", flag),
				"remove the flag from the service, or disable the socket unit",
			}
		}
	}
	return nil
}

// tellSystemd tells systemd of our state, if it wants to know (Type=notify).
func tellSystemd(log *slog.Logger, state, status string) {
	if _, err := daemon.SdNotify(false, state+"\nSTATUS="+status); err != nil {
		log.Warn("cannot tell systemd", "state", state, "error", causeOf(err))
	}
}
