package cmd

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
)

// logOptions say what is logged, and how.
type logOptions struct {
	logLevel  string
	logFormat string
}

func (o *logOptions) flags() flagGroup {
	g := newGroup("The log, on standard error")
	g.Var(newChoice(&o.logLevel, "access", levelNames...), "loglevel", "log from this `level` on: debug, trace, access, info, error, fatal, none")
	g.Var(newChoice(&o.logFormat, "text", "text", "json"), "logformat", "`format` of the log: text or json")
	return g
}

// levelNames are the values of --loglevel, the most talkative first.
var levelNames = []string{"debug", "trace", "access", "info", "error", "fatal", "none"}

const (
	levelTrace = bridge.LevelAccess - 1
	levelFatal = slog.LevelError + 4
)

func levelOf(name string) slog.Level {
	switch name {
	case "debug":
		return slog.LevelDebug
	case "trace":
		return levelTrace
	case "access":
		return bridge.LevelAccess
	case "info":
		return slog.LevelInfo
	case "error":
		return slog.LevelError
	default:
		return levelFatal
	}
}

func levelName(l slog.Level) string {
	switch {
	case l < levelTrace:
		return "debug"
	case l < bridge.LevelAccess:
		return "trace"
	case l < slog.LevelInfo:
		return "access"
	case l < slog.LevelWarn:
		return "info"
	case l < slog.LevelError:
		return "warn"
	case l < levelFatal:
		return "error"
	default:
		return "fatal"
	}
}

// newLogger writes records of the named level and above to w, as text or json.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	if level == "none" {
		return slog.New(slog.DiscardHandler)
	}
	text := format != "json"
	opts := &slog.HandlerOptions{
		Level: levelOf(level),
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch a.Key {
			case slog.LevelKey:
				if l, ok := a.Value.Any().(slog.Level); ok {
					a.Value = slog.StringValue(levelName(l))
				}
			case slog.TimeKey:
				if text {
					a.Value = slog.StringValue(a.Value.Time().Format("2006-01-02T15:04:05.000"))
				}
			}
			return a
		},
	}
	if text {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

// logAlways logs at the info level, whatever level the log begins at: with
// --port=0 and --loglevel=error the port must still be printed.
func logAlways(log *slog.Logger, msg string, args ...any) {
	record := slog.NewRecord(time.Now(), slog.LevelInfo, msg, 0)
	record.Add(args...)
	_ = log.Handler().Handle(context.Background(), record)
}
