package listen

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// systemdVariables are what systemd tells this very process (sd_listen_fds(3),
// sd_notify(3), sd_watchdog_enabled(3)). A program that inherited them could
// speak to systemd in our place.
var systemdVariables = []string{
	"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "LISTEN_PIDFDID",
	"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
}

// IsSystemdVariable reports whether a variable is one of systemdVariables, with
// or without a value.
func IsSystemdVariable(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	return slices.Contains(systemdVariables, name)
}

// Systemd returns the sockets with which systemd has started this process; none
// if it was started in another way. Children do not inherit them.
func Systemd() (listeners []net.Listener, err error) {
	for _, file := range activation.Files(true) {
		ln, problem := net.FileListener(file)
		switch {
		case problem != nil:
		case !isListening(file):
			problem = errors.New("it is not listening")
		case ln.Addr().Network() == "unixpacket": // which HTTP does not run over
			problem = errors.New("it is not a stream socket")
		}
		if problem != nil && ln != nil {
			ln.Close()
		}
		file.Close()
		if problem != nil {
			err = hint.Add(
				fmt.Errorf("cannot listen on %s, which systemd has passed: %w", file.Name(), causeOf(problem)),
				"a socket unit for wsbridge has ListenStream= and not Accept=yes",
			)
			continue
		}
		listeners = append(listeners, ln)
	}
	if err != nil {
		CloseAll(listeners)
		return nil, err
	}
	return listeners, nil
}

// The states that systemd can be told.
const (
	Ready    = daemon.SdNotifyReady
	Stopping = daemon.SdNotifyStopping
)

// TellSystemd tells systemd of our state, if it wants to know (Type=notify).
func TellSystemd(log *slog.Logger, state, status string) {
	if _, err := daemon.SdNotify(false, state+"\nSTATUS="+status); err != nil {
		log.Warn("cannot notify systemd", "state", state, "error", causeOf(err))
	}
}
