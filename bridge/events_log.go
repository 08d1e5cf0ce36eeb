package bridge

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// LevelAccess is the level of the lines that report sessions opening and
// closing. It lies below slog.LevelInfo.
const LevelAccess = slog.LevelInfo - 1

// LogEvents returns a listener that logs: a line when a session begins and one
// when it ends (LevelAccess), standard error line by line and refusals
// (slog.LevelInfo), and what goes wrong. A nil log discards them.
func LogEvents(log *slog.Logger) func(Event) {
	if log == nil {
		return func(Event) {}
	}
	return func(e Event) { logEvent(log, e) }
}

func logEvent(log *slog.Logger, e Event) {
	access := func(msg string, args ...any) { log.Log(context.Background(), LevelAccess, msg, args...) }
	switch e := e.(type) {
	case Waiting:
		log.Debug("waiting for a place", "remote", Foreign(e.Remote), "path", Foreign(e.Path))
	case Refused:
		log.Info("refused", "remote", Foreign(e.Remote), "path", Foreign(e.Path), "status", e.Refusal.Status,
			"reason", strings.TrimSpace(e.Refusal.Reason+" "+e.Refusal.Detail))
	case HandshakeFailed:
		log.Debug("handshake failed", "remote", Foreign(e.Remote), "error", e.Err)
	case Started:
		access("open", e.about("pid", e.Pid)...)
	case NotStarted:
		msg := "cannot start the command"
		if e.CGI {
			msg = "cannot start the CGI program"
		}
		log.Error(msg, "id", e.ID, "command", e.Command, "error", e.Err)
	case UpgradeLost:
		log.Info("a handshake arrived without its upgrade", "remote", Foreign(e.Remote), "path", Foreign(e.Path), "missing", e.Missing)
	case NoSubprotocol:
		log.Info("a client got none of its subprotocols and left", "id", e.ID, "remote", Foreign(e.Remote), "path", Foreign(e.Path), "offered", Foreign(strings.Join(e.Offered, ", ")))
	case Silent:
		log.Info("no message from the program yet", "id", e.ID, "program", e.Program, "pid", e.Pid, "since_input", e.For)
	case Stderr:
		log.Info("stderr", "id", e.ID, "line", e.Line)
	case Chatter:
		log.Info("stdout", "id", e.ID, "line", e.Line)
	case Closed:
		if e.State == nil {
			return // NotStarted has said it
		}
		access("close", e.about("pid", e.Pid,
			"child", e.State.String(), "code", e.Ending.Code, "reason", Foreign(e.Ending.Reason),
			"duration", e.Duration.Round(time.Millisecond),
			"messages_in", e.In.Messages, "bytes_in", e.In.Bytes,
			"messages_out", e.Out.Messages, "bytes_out", e.Out.Bytes)...)
	case Attached:
		access("attach", "id", e.ID, "remote", Foreign(e.Remote), "path", Foreign(e.Path), "resumed", e.Resumed)
	case Detached:
		access("detach", "id", e.ID, "remote", Foreign(e.Remote), "path", Foreign(e.Path),
			"code", e.Ending.Code, "reason", Foreign(e.Ending.Reason), "duration", e.Duration.Round(time.Millisecond),
			"messages_in", e.In.Messages, "bytes_in", e.In.Bytes,
			"messages_out", e.Out.Messages, "bytes_out", e.Out.Bytes)
	case TurnedAway:
		access("turned away", "remote", Foreign(e.Remote), "path", Foreign(e.Path), "code", e.Ending.Code, "reason", Foreign(e.Ending.Reason))
	case NotCGI:
		log.Info("not a CGI program", "remote", Foreign(e.Remote), "path", Foreign(e.Path), "reason", e.Err.Error())
	case CGIMalformed:
		log.Error("malformed CGI answer", "id", e.ID, "path", Foreign(e.Path), "error", e.Err)
	case CGIEnded:
		access("cgi", "id", e.ID, "remote", Foreign(e.Remote), "path", Foreign(e.Path), "pid", e.Pid,
			"child", e.State.String(), "status", e.Status, "bytes_in", e.In.Bytes, "bytes_out", e.Out.Bytes,
			"duration", e.Duration.Round(time.Millisecond))
	}
}

// about is what a line about a session begins with. A program that is shared was
// started for no client.
func (i Info) about(rest ...any) []any {
	args := []any{"id", i.ID}
	if i.Remote != "" {
		args = append(args, "remote", Foreign(i.Remote), "path", Foreign(i.Path))
	}
	return append(args, rest...)
}
